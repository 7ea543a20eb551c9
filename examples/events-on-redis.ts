/**
 * From memory to Redis to a Redis Cluster by changing one line: the one that makes the transport.
 *
 *     npx tsx examples/events-on-redis.ts
 */
import assert from 'node:assert/strict';
import { EventBusIntegration, EventStream, type EventTransport, inProcess, redisStreams } from '@safla/sdk/events';
import { TestContainer } from '@safla/sdk/testing';
import { Cluster } from 'ioredis';
import { startOneNodeCluster } from './support/one-node-cluster.js';

/** The application. It does not know where its events live. */
async function application(where: string, transport: EventTransport): Promise<void> {
  await using owned = transport;
  await using events = new EventStream({ transport: owned, redelivery: { maxDeliveries: 3, baseDelayMs: 1 } });
  const charged: string[] = [];
  await using _billing = await events.consume(
    'order.paid',
    { group: 'billing', ordered: true },
    ({ key, data, attempt }) => {
      if (data === 'card declined' && attempt < 3) throw new Error('try again');
      charged.push(`${key}: ${data}`);
    },
  );

  await events.publish('order.paid', 'card declined', { id: 'p1', key: 'order-1' });
  await events.publish('order.paid', 'paid', { id: 'p2', key: 'order-1' });
  const again = await events.publish('order.paid', 'paid', { id: 'p2', key: 'order-1' });
  assert.equal(again.duplicate, true);

  while ((await events.lag('order.paid', 'billing')) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(charged, ['order-1: card declined', 'order-1: paid']);
  console.log(`${where}: ${charged.join(', ')}`);
}

await using services = await TestContainer.start({ redis: true });
await using node = await startOneNodeCluster();
const { url } = services.redis;
const cluster = new Cluster([{ host: '127.0.0.1', port: node.port }]);

await application('in memory', inProcess());
await application('on Redis', redisStreams({ url, prefix: `example-${process.pid}` }));
await application('on a Redis Cluster', redisStreams({ client: cluster, partitions: 4 }));

// Broadcast moves the same way: 'memory:', a redis: URL, or a client of yours.
for (const where of ['memory:', url, { client: cluster }]) {
  await using bus = new EventBusIntegration(where);
  const told: unknown[] = [];
  bus.on('event', ({ event }) => told.push(event));
  await bus.subscribe(['order.charged']);
  const { receivers } = await bus.publish('order.charged', { order: 'order-1' });
  assert.equal(receivers, 1);
  while (told.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(told, [{ order: 'order-1' }]);
}
cluster.disconnect();
console.log('broadcast on all three: one receiver each');
