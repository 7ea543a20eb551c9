import { EventBusIntegration, EventStream, redisStreams } from '@safla/sdk/events';
import { eventTransportContract } from '@safla/sdk/testing/vitest';
import type { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type TestCluster } from './redis-cluster-support.js';
import { newName } from './redis-support.js';
import { until } from './support.js';

let cluster: TestCluster;
let client: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
  client = cluster.connect();
}, 90_000);

afterAll(async () => {
  client?.disconnect();
  await cluster?.[Symbol.asyncDispose]();
});

eventTransportContract('redisStreams on a cluster', () => redisStreams({ client, prefix: newName() }));

describe('events on a Redis Cluster', () => {
  it('broadcasts by sharded pub/sub to all buses, on every shard', async () => {
    await using first = new EventBusIntegration({ client });
    await using second = new EventBusIntegration({ client });
    const seen: string[] = [];
    const channels = Array.from({ length: 12 }, (_, index) => `channel-${index}`);
    for (const bus of [first, second]) {
      bus.on('event', ({ channel }) => {
        seen.push(channel);
      });
      await bus.subscribe(channels);
    }
    const receipts = await Promise.all(channels.map((channel) => first.publish(channel, 1)));
    expect(receipts.map(({ receivers }) => receivers)).toEqual(channels.map(() => 2));
    await until(() => seen.length === 24);
    expect(new Set(seen)).toEqual(new Set(channels));
  });

  it('spreads a channel over partitions, keeps the order of each key, and reads all of it again', async () => {
    await using stream = new EventStream({ transport: redisStreams({ client, prefix: newName(), partitions: 6 }) });
    const byKey = new Map<string, number[]>();
    let handled = 0;
    await using _consumer = await stream.consume(
      'orders',
      { group: 'g', from: 'start', ordered: true, concurrency: 8 },
      ({ key = '', data }) => {
        byKey.set(key, [...(byKey.get(key) ?? []), data as number]);
        handled += 1;
      },
    );
    const drafts = Array.from({ length: 300 }, (_, index) => ({
      channel: 'orders',
      data: index,
      id: `e${index}`,
      key: `k${index % 10}`,
    }));
    await stream.publishMany(drafts);
    await until(() => handled === 300);
    for (const [key, numbers] of byKey) {
      expect(numbers, key).toEqual([...numbers].sort((a, b) => a - b));
    }
    expect(byKey.size).toBe(10);
    const again: unknown[] = [];
    for await (const { id } of stream.replay('orders')) again.push(id);
    expect(again.sort()).toEqual(drafts.map(({ id }) => id).sort());
    await until(async () => (await stream.lag('orders', 'g')) === 0);
    await stream.transport.close();
  });

  it('goes on after a master died, loses nothing that a replica had acknowledged, and is no slower than ioredis itself', async () => {
    const prefix = newName();
    // The replica that takes over has no replica itself: only before the kill can two nodes have an event.
    const careful = new EventStream({ transport: redisStreams({ client, prefix, waitReplicas: 1, timeoutMs: 3_000 }) });
    const quick = new EventStream({ transport: redisStreams({ client, prefix, timeoutMs: 30_000 }) });
    const handled = new Map<string, number>();
    const times: number[] = [];
    const consumer = await quick.consume('orders', { group: 'g', from: 'start', concurrency: 64 }, ({ id }) => {
      handled.set(id, (handled.get(id) ?? 0) + 1);
      times.push(performance.now());
    });
    const raw = rawPublisher(`{${prefix}:orders:0}:raw`);
    const acked: string[] = [];
    const quicklyAcked: string[] = [];
    let ending = false;
    const publish = async (stream: EventStream, name: string): Promise<void> => {
      for (let number = 0; !ending; number++) {
        const id = `${name}${number}`;
        await stream.publish('orders', number, { id }).then(
          () => (stream === careful ? acked : quicklyAcked).push(id),
          () => undefined,
        );
      }
    };
    const publishing = Promise.all([publish(careful, 'careful'), publish(quick, 'quick')]);
    await until(() => acked.length > 50);
    const killedAt = performance.now();
    await cluster.killMasterOf(`{${prefix}:orders:0}`);
    await until(() => (times.at(-1) ?? 0) > killedAt + 1_000 && raw.times.some((time) => time > killedAt + 1_000));
    const seen = handled.size;
    await until(() => handled.size > seen + 50);
    ending = true;
    await Promise.all([publishing, raw.end()]);
    await until(() => acked.every((id) => handled.has(id)));
    // Those that only the master had are lost with it, and may be: they are counted.
    await until(async () => (await quick.lag('orders', 'g')) === 0);
    const lost = quicklyAcked.filter((id) => !handled.has(id)).length;
    const [gap, rawGap] = [longestGap(times, killedAt), longestGap(raw.times, killedAt)];
    console.log(
      `after a master died: longest gap ${gap.toFixed(0)} ms consuming, ${rawGap.toFixed(0)} ms raw ioredis; ${acked.length} acknowledged by a replica too, 0 lost; ${quicklyAcked.length} by the master alone, ${lost} lost; ${[...handled.values()].filter((count) => count > 1).length} handled twice`,
    );
    // Both find the new master by the same client; what the machine adds by chance is left out.
    expect(gap).toBeLessThanOrEqual(rawGap + 1_000);
    await consumer.close();
    await Promise.all([careful.transport.close(), quick.transport.close()]);
  }, 120_000);

  /** XADD by ioredis alone, one after the other. */
  function rawPublisher(key: string): { readonly times: number[]; readonly end: () => Promise<void> } {
    const own = cluster.connect();
    const times: number[] = [];
    let ending = false;
    const running = (async () => {
      while (!ending) {
        await own.xadd(key, '*', 'a', '1').then(
          () => times.push(performance.now()),
          () => undefined,
        );
      }
      own.disconnect();
    })();
    return {
      times,
      end: async () => {
        ending = true;
        await running;
      },
    };
  }
});

function longestGap(times: readonly number[], from: number): number {
  let longest = 0;
  for (const [index, time] of times.entries()) {
    if (time > from) longest = Math.max(longest, time - (times[index - 1] ?? from));
  }
  return longest;
}
