import { jetstream } from '@safla/sdk/events/jetstream';
import { eventTransportContract } from '@safla/sdk/testing/vitest';
import { afterAll, beforeAll } from 'vitest';
import { natsPlan, ServerProgram } from '../soak/server-program.js';

let server: ServerProgram;
let subjects = 0;

beforeAll(async () => {
  server = await ServerProgram.start(natsPlan);
});

afterAll(() => server[Symbol.asyncDispose]());

eventTransportContract(
  'jetstream',
  () => {
    subjects += 1;
    return jetstream({
      servers: `nats://127.0.0.1:${server.port}`,
      stream: `T${subjects}`,
      subject: `t${subjects}.events`,
    });
  },
  { capabilities: { ordered: false, attributes: false } },
);
