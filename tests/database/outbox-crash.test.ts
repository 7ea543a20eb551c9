import { randomUUID } from 'node:crypto';
import { PostgresDatabase } from '@safla/sdk/database';
import { EventStream, Outbox, outboxTable, redisStreams } from '@safla/sdk/events';
import { TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redisPlan, ServerProgram } from '../events/soak/server-program.js';
import { type CrashSettings, channel, rollsBack } from './fixtures/outbox/crash-settings.js';
import { Crew } from './fixtures/outbox/crew.js';

const soak = process.env.SAFLA_SOAK !== undefined;
const transactions = soak ? 10_000 : 400;
/** How often each of the writers, the relays and Redis is killed. */
const kills = soak ? 15 : 2;

let services: TestContainer;
let redis: ServerProgram;

beforeAll(async () => {
  [services, redis] = await Promise.all([TestContainer.start({ postgres: true }), ServerProgram.start(redisPlan)]);
});

afterAll(() => Promise.all([services.stop(), redis[Symbol.asyncDispose]()]));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(10);
}

const count = async (db: PostgresDatabase, text: string): Promise<number> =>
  Number((await db.query<{ n: number }>(text))[0]?.n);

it(
  `carries the event of each of ${transactions} transactions that committed, of no other, with its effect once, while writers, relays and Redis are killed`,
  async () => {
    const { url: postgres } = await services.postgres.namespace();
    const url = `redis://127.0.0.1:${redis.port}`;
    const writerName = `writer-${randomUUID()}`;
    const settings: CrashSettings = { postgres, redis: url, prefix: 'crash', writerName, transactions };
    await using db = new PostgresDatabase({ url: postgres });
    await db.migrate([
      outboxTable(),
      {
        id: 'orders',
        up: `create sequence attempts;
          create table orders (n int primary key, amount int not null);
          create table handled (id text primary key);
          create table account (total int not null);
          insert into account values (0)`,
      },
    ]);
    await using transport = redisStreams({ url, prefix: settings.prefix });
    await using events = new EventStream({ transport, redelivery: { baseDelayMs: 10, maxDelayMs: 500 } });
    await using outbox = new Outbox({ db, events });

    let calls = 0;
    await using _account = await events.consume(channel, { group: 'account', from: 'start' }, async ({ id, data }) => {
      calls++;
      await db.transaction(async (tx) => {
        const { rowCount } = await tx.sql`insert into handled values (${id}) on conflict do nothing`;
        if (rowCount === 1) await tx.sql`update account set total = total + ${(data as { amount: number }).amount}`;
      });
    });

    await using relays = new Crew('relay', 2, settings);
    await using writers = new Crew('writer', 2, settings);
    const begun = (): Promise<number> => count(db, 'select last_value as n from attempts');
    const handled = (): Promise<number> => count(db, 'select count(*) as n from handled');
    const killed = { writers: 0, relays: 0, redis: 0 };
    const killWriters = async (): Promise<void> => {
      for (let i = 1; i <= kills; i++) {
        await until(async () => (await begun()) >= (i * transactions) / (kills + 1));
        if (await writers.killOne()) killed.writers++;
      }
    };
    const killRelaysAndRedis = async (): Promise<void> => {
      const turns = kills * 2;
      for (let i = 1; i <= turns; i++) {
        await until(async () => (await handled()) >= (i * 0.8 * transactions) / (turns + 1));
        if (i % 2 === 0) {
          await redis.kill();
          await pause(50);
          await redis.run();
          killed.redis++;
        } else if (await relays.killOne()) killed.relays++;
      }
    };
    await Promise.all([killWriters(), killRelaysAndRedis()]);
    expect(killed).toEqual({ writers: kills, relays: kills, redis: kills });

    await until(() => writers.working === 0);
    expect(writers.failures).toEqual([]);
    // What a killed writer had open is over once its connections are gone.
    const open = `select count(*) as n from pg_stat_activity where application_name = '${writerName}' and xact_start is not null`;
    await until(async () => (await count(db, open)) === 0);
    await until(async () => (await outbox.backlog()).waiting === 0);
    await until(async () => (await events.lag(channel, 'account')) === 0);
    expect(relays.failures).toEqual([]);

    const orders = await db.query<{ n: number; amount: number }>('select n, amount from orders order by n');
    const committed = orders.map(({ n }) => `order-${n}`);
    // Two writers, four transactions each: no more can have been under way when one was killed.
    const willing = Array.from({ length: transactions }, (_, index) => index + 1).filter((n) => !rollsBack(n)).length;
    expect(committed.length).toBeLessThanOrEqual(willing);
    expect(committed.length).toBeGreaterThanOrEqual(willing - 4 * kills);
    expect(orders.filter(({ n }) => rollsBack(n))).toEqual([]);

    const stored: string[] = [];
    for await (const { id } of events.replay(channel)) stored.push(id);
    const sorted = (ids: readonly string[]): string[] =>
      ids.toSorted((a, b) => Number(a.slice(6)) - Number(b.slice(6)));
    expect(sorted(stored)).toEqual(committed);
    const effects = await db.query<{ id: string }>('select id from handled');
    expect(sorted(effects.map(({ id }) => id))).toEqual(committed);
    const total = orders.reduce((sum, { amount }) => sum + amount, 0);
    expect(await db.query('select total from account')).toEqual([{ total }]);
    // Who was told twice, because Redis forgot an acknowledgement on its way, did nothing the second time.
    expect(calls).toBeGreaterThanOrEqual(committed.length);
    if (soak)
      process.stdout.write(
        `${committed.length} committed, ${calls} calls of the handler, kills ${JSON.stringify(killed)}\n`,
      );
  },
  soak ? 1_800_000 : 180_000,
);
