import { fileURLToPath } from 'node:url';
import { ClosedError, ConfigurationError } from '@safla/sdk/core';
import { EventStream, Outbox, type OutboxDatabase, type OutboxOptions, outboxTable } from '@safla/sdk/events';
import { TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../../../scripts/run.js';
import { deferred, until } from '../support.js';
import { PgDatabase } from './pg-database.js';

let services: TestContainer;

beforeAll(async () => {
  services = await TestContainer.start({ postgres: true });
});

afterAll(() => services.stop());

async function database(table?: string): Promise<PgDatabase> {
  const namespace = await services.postgres.namespace();
  const db = new PgDatabase(namespace.url);
  onTestFinished(() => db.close());
  await db.pool.query(outboxTable(table).up);
  return db;
}

const nowhere: OutboxDatabase = { transaction: () => Promise.reject(new Error('no database')) };

describe('Outbox', () => {
  it.each([
    ['no database', { db: undefined }, 'Outbox.db'],
    ['a database without transactions', { db: {} }, 'Outbox.db'],
    ['a transport for a stream', { events: { publish: () => undefined } }, 'Outbox.events'],
    ['a table that would need quotes', { table: 'Orders; drop table x' }, 'Outbox.table'],
    ['a table that is too long', { table: 'a'.repeat(49) }, 'Outbox.table'],
    ['a batch of none', { batchSize: 0 }, 'Outbox.batchSize'],
    ['an unknown option', { batchsize: 1 }, 'Outbox.batchsize'],
    ['a bad backoff', { backoff: { baseDelayMs: -1 } }, 'Outbox.backoff.baseDelayMs'],
  ])('refuses %s when it is made', async (_, options, field) => {
    await using events = new EventStream({ url: 'memory:' });
    const make = () => new Outbox({ db: nowhere, events, ...options } as unknown as OutboxOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIGURATION', field }));
  });

  it('lives in any table, also of another schema, and gives SQL to make and to drop it', async () => {
    const db = await database('app_outbox');
    const { rows } = await db.pool.query<{ schema: string }>('select current_schema() as schema');
    const schema = rows[0]?.schema ?? '';
    await using events = new EventStream({ url: 'memory:' });
    await using outbox = new Outbox({
      db,
      events,
      table: /^[a-z_]/.test(schema) ? `${schema}.app_outbox` : 'app_outbox',
    });
    await db.transaction((tx) => outbox.publish(tx, 'orders', 1));
    await until(async () => (await outbox.relay()) === 1);
    await db.pool.query(outboxTable('app_outbox').down.replace('app_outbox', `${schema}.app_outbox`));
    await expect(outbox.relay()).rejects.toThrow(/outboxTable\(\)/);
  });

  it('refuses the database where the transaction belongs: the event would not wait for a commit', async () => {
    await using events = new EventStream({ url: 'memory:' });
    const db = { ...nowhere, sql: () => Promise.resolve([]) };
    await using outbox = new Outbox({ db, events });
    await expect(outbox.publish(db, 'orders', 1)).rejects.toThrow(/tx.*db\.transaction/);
    await expect(outbox.publish(undefined as never, 'orders', 1)).rejects.toThrow(/tx/);
  });

  it('says so when the database gives another isolation than its order rests on', async () => {
    const db = await database();
    const strict: OutboxDatabase = {
      transaction: (work) => db.transaction(work, { isolation: 'repeatable read' as 'read committed' }),
    };
    await using events = new EventStream({ url: 'memory:' });
    await using outbox = new Outbox({ db: strict, events });
    await expect(outbox.relay()).rejects.toThrow(ConfigurationError);
  });

  it('survives the loss of its connection while it publishes: nothing lost, nothing twice', async () => {
    const db = await database();
    await using stream = new EventStream({ url: 'memory:' });
    const publishing = deferred();
    const goOn = deferred();
    const events: OutboxOptions['events'] = {
      prepare: (drafts) => stream.prepare(drafts),
      async publishPrepared(prepared, options) {
        const receipts = await stream.publishPrepared(prepared, options);
        publishing.resolve();
        await goOn.promise;
        return receipts;
      },
    };
    await using outbox = new Outbox({ db, events, pollMs: 1, backoff: { baseDelayMs: 1 } });
    await db.transaction((tx) => outbox.publish(tx, 'orders', 1, { id: 'a' }));
    outbox.start();
    await publishing.promise;
    await db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where state = 'idle in transaction' and application_name = $1 and pid <> pg_backend_pid()`,
      [db.pool.options.application_name],
    );
    goOn.resolve();
    await until(() => outbox.stats().published === 1);
    expect(outbox.stats().failures).toBeGreaterThan(0);
    const ids: string[] = [];
    for await (const { id } of stream.replay('orders')) ids.push(id);
    expect(ids).toEqual(['a']);
  });

  it('keeps no process alive while it waits', async () => {
    const program = fileURLToPath(new URL('./fixtures/idle.ts', import.meta.url));
    const { code, output } = await run(process.execPath, ['--import', 'tsx', program]);
    expect({ code, output: output.trim() }).toEqual({ code: 0, output: 'started' });
  });

  it('takes no new work once closed, and leaves what is not published in the table', async () => {
    const db = await database();
    await using events = new EventStream({ url: 'memory:' });
    const outbox = new Outbox({ db, events });
    await db.transaction((tx) => outbox.publish(tx, 'orders', 1));
    outbox.start();
    outbox.start();
    await outbox.close();
    await outbox.close();
    expect(() => outbox.start()).toThrow(ClosedError);
    await expect(outbox.relay()).rejects.toThrow(ClosedError);
    await expect(db.transaction((tx) => outbox.publish(tx, 'orders', 2))).rejects.toThrow(ClosedError);
    await using again = new Outbox({ db, events });
    const { waiting } = await again.backlog();
    expect(outbox.stats().published + waiting).toBe(1);
  });

  it('ends a relay that hangs when its signal aborts, and closes within its time', async () => {
    const hanging: OutboxDatabase = { transaction: () => new Promise(() => undefined) };
    await using events = new EventStream({ url: 'memory:' });
    const outbox = new Outbox({ db: hanging, events });
    await expect(outbox.relay({ signal: AbortSignal.timeout(20) })).rejects.toThrow(/timeout/i);
    outbox.start();
    const before = Date.now();
    await outbox.close({ timeoutMs: 100 }).catch(() => undefined);
    expect(Date.now() - before).toBeLessThan(5_000);
  });
});
