import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalVectorMemory } from '@safla/sdk/memory';
import { vectorMemoryContract } from '@safla/sdk/testing/vitest';
import { afterAll } from 'vitest';
import { CustomVectorProvider } from './fixtures/mended-custom-provider.js';

const root = mkdtempSync(join(tmpdir(), 'safla-memory-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

vectorMemoryContract('LocalVectorMemory', () => new LocalVectorMemory({ dimension: 3 }));
vectorMemoryContract(
  'LocalVectorMemory with a path',
  () => new LocalVectorMemory({ dimension: 3, path: mkdtempSync(join(root, 'm')) }),
);
vectorMemoryContract("the guide's CustomVectorProvider, mended", () => new CustomVectorProvider());
