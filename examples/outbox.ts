/**
 * A change and the news of it commit together, whatever crashes in between. PostgreSQL runs inside this
 * process (PGlite); with DATABASE_URL and REDIS_URL set, the same code runs on your servers.
 *
 *     npx tsx examples/outbox.ts
 */
import assert from 'node:assert/strict';
import { PostgresDatabase } from '@safla/sdk/database';
import { EventStream, Outbox, outboxTable } from '@safla/sdk/events';
import { z } from 'zod';

const Refund = z.object({ id: z.string(), reason: z.string() });

await using db = new PostgresDatabase({ url: process.env.DATABASE_URL ?? 'memory:' });
await using events = new EventStream({
  url: process.env.REDIS_URL ?? 'memory:',
  schemas: { 'order.refunded': Refund },
});
await using outbox = new Outbox({ db, events, table: 'example_outbox' });

await db.migrate([
  outboxTable('example_outbox'),
  {
    id: 'example_refunds_1',
    up: 'create table example_refunds (id text, reason text)',
    down: 'drop table example_refunds',
  },
]);

async function refund(id: string, reason: string, confirm: () => void): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.sql`insert into example_refunds (id, reason) values (${id}, ${reason})`;
    await outbox.publish(tx, 'order.refunded', { id, reason }, { id: `refund-${id}`, key: id });
    confirm();
  });
  // Not needed: the relay looks by itself every pollMs.
  outbox.wake();
}

const run = String(Date.now());
const heard: string[] = [];
await using _consumer = await events.consume('order.refunded', { group: `mail-${run}` }, ({ data }) => {
  heard.push(data.reason);
});
outbox.start();

await refund(`${run}-1`, 'broken', () => undefined);
await assert.rejects(
  refund(`${run}-2`, 'never committed', () => {
    throw new Error('the payment provider said no');
  }),
  /said no/,
);
await refund(`${run}-3`, 'too late', () => undefined);

while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
assert.deepEqual(heard, ['broken', 'too late']);

// A crash between publishing and deleting: the row is still there, and is published once more, with its id.
await db.transaction((tx) =>
  outbox.publish(tx, 'order.refunded', { id: 'x', reason: 'once' }, { id: `refund-${run}-4` }),
);
await events.publish('order.refunded', { id: 'x', reason: 'once' }, { id: `refund-${run}-4` });
while ((await outbox.backlog()).waiting > 0) await new Promise((resolve) => setTimeout(resolve, 10));
while (heard.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
assert.deepEqual(heard, ['broken', 'too late', 'once']);
console.log('heard:', heard.join(', '), '| rolled back and never heard: never committed');
