/**
 * Writes orders and their events, four transactions at a time, until all numbers are drawn. Numbers come from
 * a sequence, which no rollback takes back, so writers that follow one another never begin one twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresDatabase } from '@safla/sdk/database';
import { EventStream, Outbox } from '@safla/sdk/events';
import { channel, crashSettings, rollsBack } from './crash-settings.js';

const { postgres, transactions, writerName } = crashSettings();
await using db = new PostgresDatabase({ url: postgres, applicationName: writerName });
// Writing needs no Redis: this stream checks and encodes events and publishes none.
await using events = new EventStream({ url: 'memory:' });
await using outbox = new Outbox({ db, events });

class ChangedMind extends Error {}

async function place(n: number): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.sql`insert into orders (n, amount) values (${n}, ${n % 10})`;
    await outbox.publish(tx, channel, { n, amount: n % 10 }, { id: `order-${n}` });
    if (n % 5 === 0) await sleep(3);
    if (rollsBack(n)) throw new ChangedMind();
  });
}

async function write(): Promise<void> {
  for (;;) {
    const { n } = await db.sql.one<{ n: number }>`select nextval('attempts') as n`;
    if (n > transactions) return;
    await place(n).catch((error: unknown) => {
      if (!(error instanceof ChangedMind)) throw error;
    });
  }
}

await Promise.all(Array.from({ length: 4 }, write));
