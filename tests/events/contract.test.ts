import { inProcess } from '@safla/sdk/events';
import { eventTransportContract } from '@safla/sdk/testing/vitest';

eventTransportContract('inProcess', () => inProcess());
