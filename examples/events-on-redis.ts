/**
 * From memory to Redis to a Redis Cluster by changing one line: the same application code on all three.
 *
 *     npx tsx examples/events-on-redis.ts
 */
import assert from 'node:assert/strict';
import { EventBusIntegration, EventStream, inProcess, redisPubSub, redisStreams } from '@safla/sdk/events';
import { TestContainer } from '@safla/sdk/testing';
import { Cluster } from 'ioredis';
import { startOneNodeCluster } from './support/one-node-cluster.js';

type Streams = ConstructorParameters<typeof EventStream>[0]['transport'];
type Broadcast = Exclude<ConstructorParameters<typeof EventBusIntegration>[0], string>['transport'];

/** The application. It does not know where its events live. */
async function application(
  where: string,
  streams: NonNullable<Streams>,
  broadcast: NonNullable<Broadcast>,
): Promise<void> {
  await using events = new EventStream({ transport: streams, redelivery: { maxDeliveries: 3, baseDelayMs: 1 } });
  await using bus = new EventBusIntegration({ transport: broadcast });

  const charged: string[] = [];
  await using _billing = await events.consume(
    'order.paid',
    { group: 'billing', ordered: true },
    async ({ key, data, attempt }) => {
      if (data === 'card declined' && attempt < 3) throw new Error('try again');
      charged.push(`${key}: ${data}`);
      await bus.publish('order.charged', { order: key });
    },
  );

  const told: unknown[] = [];
  bus.on('event', ({ event }) => told.push(event));
  await bus.subscribe(['order.charged']);

  await events.publish('order.paid', 'card declined', { id: 'p1', key: 'order-1' });
  await events.publish('order.paid', 'paid', { id: 'p2', key: 'order-1' });
  const again = await events.publish('order.paid', 'paid', { id: 'p2', key: 'order-1' });
  assert.equal(again.duplicate, true);

  while (told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(charged, ['order-1: card declined', 'order-1: paid']);
  console.log(`${where}: ${charged.join(', ')}`);
}

const local = inProcess();
await application('in memory', local, local);
await local.close();

await using services = await TestContainer.start({ redis: true });
{
  const { url } = services.redis;
  await using streams = redisStreams({ url, prefix: `example-${process.pid}` });
  await using broadcast = redisPubSub({ url });
  await application('on Redis', streams, broadcast);
}

await using node = await startOneNodeCluster();
const client = new Cluster([{ host: '127.0.0.1', port: node.port }]);
try {
  await using streams = redisStreams({ client, partitions: 4 });
  await using broadcast = redisPubSub({ client });
  await application('on a Redis Cluster', streams, broadcast);
} finally {
  client.disconnect();
}
