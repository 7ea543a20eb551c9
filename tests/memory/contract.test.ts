import { LocalVectorMemory } from '@safla/sdk/memory';
import { vectorMemoryContract } from '@safla/sdk/testing/vitest';

vectorMemoryContract('LocalVectorMemory', () => new LocalVectorMemory({ dimension: 3 }));
