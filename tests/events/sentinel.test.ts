import { EventStream, redisStreams } from '@safla/sdk/events';
import { eventTransportContract } from '@safla/sdk/testing/vitest';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSentinel, type TestSentinel } from './redis-sentinel-support.js';
import { newName } from './redis-support.js';
import { until } from './support.js';

let sentinel: TestSentinel;
let shared: Redis;

beforeAll(async () => {
  sentinel = await startSentinel();
  shared = sentinel.connect();
}, 120_000);

afterAll(async () => {
  shared?.disconnect();
  await sentinel?.[Symbol.asyncDispose]();
}, 30_000);

eventTransportContract('redisStreams behind Sentinel', () => redisStreams({ client: shared, prefix: newName() }));

describe('events on Redis behind Sentinel', () => {
  it('go on with the new primary, and lose nothing that was acknowledged with waitReplicas', async () => {
    const client = sentinel.connect();
    const transport = redisStreams({ client, prefix: 'failover', waitReplicas: 1, timeoutMs: 60_000, pollMs: 100 });
    const stream = new EventStream({ transport });
    const handled = new Map<string, number>();
    const consumer = await stream.consume('orders', { group: 'g', concurrency: 8 }, ({ id }) => {
      handled.set(id, (handled.get(id) ?? 0) + 1);
    });
    const acknowledged: string[] = [];
    const publish = async (id: string): Promise<void> => {
      await stream.publish('orders', { id }, { id });
      acknowledged.push(id);
    };
    const several = (from: string): Promise<unknown> =>
      Promise.allSettled(Array.from({ length: 50 }, (_, index) => publish(`${from}-${index}`)));
    await several('before');
    const during = several('during');
    const died = await sentinel.killPrimary();
    await during;
    await several('meanwhile');
    await until(() => client.stream?.remotePort !== undefined && client.stream.remotePort !== died);
    await several('after');

    expect(acknowledged.filter((id) => id.startsWith('after'))).toHaveLength(50);
    await until(() => acknowledged.every((id) => handled.has(id)));
    const logged: string[] = [];
    for await (const { id } of stream.replay('orders')) logged.push(id);
    expect(acknowledged.filter((id) => !logged.includes(id))).toEqual([]);
    expect(logged).toHaveLength(new Set(logged).size);

    await consumer.close();
    await stream.close();
    await transport.close();
    client.disconnect();
  }, 180_000);
});
