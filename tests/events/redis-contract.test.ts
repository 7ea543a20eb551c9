import { redisStreams } from '@safla/sdk/events';
import { TestContainer } from '@safla/sdk/testing';
import { eventTransportContract } from '@safla/sdk/testing/vitest';
import { afterAll, beforeAll } from 'vitest';

let services: TestContainer;
let prefixes = 0;

beforeAll(async () => {
  services = await TestContainer.start({ redis: { kinds: ['system', 'package'] } });
});

afterAll(async () => {
  await services.stop();
});

function newPrefix(): string {
  prefixes += 1;
  return `contract${prefixes}`;
}

eventTransportContract('redisStreams', () => redisStreams({ url: services.redis.url, prefix: newPrefix() }));
