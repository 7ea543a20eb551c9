/**
 * Broadcast and a durable-log style stream, both within this process: nothing to install.
 *
 *     npx tsx examples/events-in-process.ts
 */
import assert from 'node:assert/strict';
import { EventBusIntegration, EventStream } from '@safla/sdk/events';
import { z } from 'zod';

const Order = z.object({ id: z.string(), total: z.number() });

async function broadcast(): Promise<void> {
  await using bus = new EventBusIntegration('memory:');
  const seen: unknown[] = [];
  bus.on('event', ({ channel, event }) => {
    seen.push(`${channel} ${JSON.stringify(event)}`);
  });
  await bus.subscribe(['safla.agent.task']);
  const { receivers } = await bus.publish('safla.agent.task', { id: 1 });
  assert.equal(receivers, 1);
  assert.deepEqual(seen, ['safla.agent.task {"id":1}']);
}

async function stream(): Promise<void> {
  await using events = new EventStream({
    url: 'memory:',
    schemas: { 'order.paid': Order },
    redelivery: { maxDeliveries: 3, baseDelayMs: 1 },
  });

  const charged: string[] = [];
  let cardReader = 'broken';
  await using _billing = await events.consume('order.paid', { group: 'billing' }, ({ data, attempt }) => {
    if (data.id === '2' && cardReader === 'broken') throw new Error('no card reader');
    charged.push(`${data.id} (attempt ${attempt})`);
  });

  await events.publish('order.paid', { id: '1', total: 20 }, { id: 'order-1-paid' });
  const again = await events.publish('order.paid', { id: '1', total: 20 }, { id: 'order-1-paid' });
  assert.equal(again.duplicate, true);
  await events.publish('order.paid', { id: '2', total: 35 }, { id: 'order-2-paid' });
  await settled(events);
  assert.deepEqual(charged, ['1 (attempt 1)']);

  const letters = events.deadLetters('order.paid');
  const [letter] = await letters.list();
  assert.equal(letter?.reason, 'Error: no card reader');
  assert.equal(letter.attempts, 3);

  cardReader = 'mended';
  await letters.requeue();
  await settled(events);
  assert.deepEqual(charged, ['1 (attempt 1)', '2 (attempt 1)']);

  let total = 0;
  for await (const { data } of events.replay('order.paid')) total += data.total;
  assert.equal(total, 55);
  console.log('charged:', charged.join(', '), '| replayed total:', total);
}

async function settled(events: { lag(channel: string, group: string): Promise<number> }): Promise<void> {
  while ((await events.lag('order.paid', 'billing')) > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

await broadcast();
await stream();
