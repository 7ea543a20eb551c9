import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EventStream, Outbox, outboxTable, redisStreams } from '@safla/sdk/events';
import { TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../support.js';
import { PgDatabase } from './pg-database.js';

const soak = process.env.SAFLA_SOAK !== undefined;
const rounds = soak ? 20 : 3;
const perRound = 60;

let services: TestContainer;

beforeAll(async () => {
  services = await TestContainer.start({ postgres: true, redis: { kinds: ['system', 'package'] } });
});

afterAll(() => services.stop());

/** Relays, killed like by a crash once `work` is done. */
async function relayingDuring(settings: object, work: () => Promise<void>): Promise<void> {
  const program = fileURLToPath(new URL('./fixtures/relay.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    await work();
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

it(
  'loses nothing, repeats nothing and keeps the order while relays are killed and take over',
  async () => {
    const postgres = (await services.postgres.namespace()).url;
    const redis = services.redis.url;
    const prefix = 'crash';
    const db = new PgDatabase(postgres);
    const transport = redisStreams({ url: redis, prefix });
    const events = new EventStream({ transport });
    const outbox = new Outbox({ db, events });
    try {
      await db.pool.query(outboxTable().up);
      const written = new Map<string, number>();
      const writing = Array.from({ length: 3 }, async (_, writer) => {
        for (let n = 0; n < (rounds * perRound) / 3; n++) {
          const id = `${writer}-${n}`;
          await db.transaction(async (tx) => {
            await outbox.publish(tx, 'orders', n, { id });
            const [row] = await tx.sql`select currval(pg_get_serial_sequence('safla_outbox', 'seq'))::text as seq`;
            written.set(id, Number((row as { seq: string }).seq));
            if (n % 10 === 0) await sleep(20);
          });
        }
      });
      const ids = async (): Promise<string[]> => {
        const found: string[] = [];
        for await (const { id } of events.replay('orders')) found.push(id);
        return found;
      };
      for (let round = 0; round < rounds; round++) {
        // Two at once: the one that stands by takes over in the middle of the other's work.
        await relayingDuring({ postgres, redis, prefix }, () =>
          relayingDuring({ postgres, redis, prefix }, async () => {
            const goal = round + 1 === rounds ? rounds * perRound : (round + 0.5) * perRound;
            await until(async () => (await ids()).length >= goal);
          }),
        );
      }
      await Promise.all(writing);
      const inOrder = [...written].sort(([, a], [, b]) => a - b).map(([id]) => id);
      expect(await ids()).toEqual(inOrder);
      await until(async () => (await outbox.relay()) === 0 && (await outbox.backlog()).waiting === 0);
      expect(await ids()).toEqual(inOrder);
    } finally {
      await outbox.close();
      await events.close();
      await transport.close();
      await db.close();
    }
  },
  soak ? 900_000 : 120_000,
);
