import { jetstream } from '@safla/sdk/events/jetstream';
import { eventTransportContract } from '@safla/sdk/testing/vitest';
import { afterAll, beforeAll } from 'vitest';
import { NatsServer } from './nats-server.js';

let server: NatsServer;
let subjects = 0;

beforeAll(async () => {
  server = await NatsServer.start();
});

afterAll(() => server[Symbol.asyncDispose]());

eventTransportContract(
  'jetstream',
  () => {
    subjects += 1;
    return jetstream({ servers: server.url, stream: `T${subjects}`, subject: `t${subjects}.events` });
  },
  { capabilities: { ordered: false } },
);
