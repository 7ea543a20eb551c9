import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ValidationError, withContext } from '../../core/index.js';
import {
  EventStream,
  inProcess,
  Outbox,
  type OutboxDatabase,
  type OutboxEvents,
  type OutboxOptions,
  type OutboxTransaction,
} from '../../events/index.js';
import { type ContractSuite, contractSuite, failsWith } from './contract-suite.js';

/** What a database may lack: `concurrentTransactions` is false where one transaction waits for another to end. */
export type OutboxCapability = 'concurrentTransactions';

/** A database with the table of `outboxTable()`, empty. */
export interface OutboxSubject extends OutboxDatabase {
  close?(): Promise<void>;
}

/**
 * What a database must do to carry an {@link Outbox}: publish what was committed and nothing else, in
 * order, once, whatever fails in between.
 *
 * @example
 * outboxContract('PostgresDatabase', async () => {
 *   const db = new PostgresDatabase({ url });
 *   await db.migrate([outboxTable()]);
 *   return db;
 * });
 */
export const outboxContract: ContractSuite<OutboxSubject, OutboxCapability> = contractSuite('Outbox', [
  {
    name: 'publishes what was committed, in the order of writing, and nothing that was rolled back',
    run: (db) =>
      withOutbox(db, {}, async ({ outbox, log }) => {
        const ids = Array.from({ length: 25 }, (_, index) => `c${index}`);
        await db.transaction(async (tx) => {
          for (const id of ids.slice(0, 10)) await outbox.publish(tx, 'orders', { id }, { id });
        });
        const rolledBack = db.transaction(async (tx) => {
          await outbox.publish(tx, 'orders', 'no', { id: 'rolled back' });
          throw new Error('changed my mind');
        });
        await assert.rejects(rolledBack, /changed my mind/);
        await db.transaction((tx) =>
          outbox.publishMany(
            tx,
            ids.slice(10).map((id) => ({ channel: 'orders', data: { id }, id })),
          ),
        );
        assert.deepEqual(await log(), []);
        assert.equal((await outbox.backlog()).waiting, 25);
        await relayed(outbox, 25);
        assert.deepEqual(await log(), ids);
        assert.equal(await outbox.relay(), 0);
        assert.deepEqual(await outbox.backlog(), { waiting: 0, oldestMs: 0, refused: 0 });
      }),
  },
  {
    name: 'keeps data, key and correlation id as they were when they were written',
    run: (db) =>
      withOutbox(db, {}, async ({ outbox, stream }) => {
        const data = { text: "'; drop table x; -- ä\u0000 \u{1f600}", list: [1, null] };
        await withContext({ correlationId: 'c-7' }, () =>
          db.transaction((tx) => outbox.publish(tx, 'orders', data, { id: "o'1", key: 'k "ä' })),
        );
        await relayed(outbox, 1);
        for await (const event of stream.replay('orders')) {
          assert.deepEqual([event.id, event.key, event.data], ["o'1", 'k "ä', data]);
          assert.equal(event.envelope?.correlationid, 'c-7');
        }
      }),
  },
  {
    name: 'refuses data that the stream would refuse, inside the transaction',
    run: (db) =>
      withOutbox(db, {}, async ({ outbox }) => {
        const write = (data: unknown, id: string): Promise<unknown> =>
          db.transaction((tx) => outbox.publish(tx, 'orders', data, { id }));
        await failsWith('VALIDATION', 'data that JSON cannot carry', () => write({ big: 1n }, 'a'));
        await failsWith('VALIDATION', 'an id that PostgreSQL cannot store', () => write({}, 'a\0b'));
        assert.equal((await outbox.backlog()).waiting, 0);
      }),
  },
  {
    name: 'keeps everything when publishing fails, and publishes it once afterwards',
    run: (db) =>
      withOutbox(db, {}, async ({ outbox, stream, log }) => {
        await writeAll(db, outbox, ['a', 'b', 'c']);
        // The worst moment: all is published, and the relay dies before it deletes.
        for (const when of ['after', 'before'] as const) {
          await using dying = new Outbox({ db, events: failing(stream, when) });
          await until(() =>
            dying.relay().then(
              () => false,
              (error: Error) => error.message === 'the relay died',
            ),
          );
        }
        assert.deepEqual(await log(), ['a', 'b', 'c']);
        assert.equal((await outbox.backlog()).waiting, 3);
        await relayed(outbox, 3);
        assert.deepEqual(await log(), ['a', 'b', 'c']);
      }),
  },
  {
    name: 'sets aside an event that the transport refuses for good, and goes on with the others',
    run: (db) =>
      withOutbox(db, {}, async ({ outbox, log }) => {
        await using wide = new EventStream({ url: 'memory:' });
        const writer = new Outbox({ db, events: wide });
        await writeAll(db, writer, ['a', 'bad', 'b', 'c']);
        await relayed(outbox, 3);
        assert.deepEqual(await log(), ['a', 'b', 'c']);
        const { waiting, refused } = await outbox.backlog();
        assert.deepEqual({ waiting, refused, counted: outbox.stats().refused }, { waiting: 0, refused: 1, counted: 1 });
        await db.transaction(async (tx) => tx.sql`update safla_outbox set failure = null`);
        assert.equal((await outbox.backlog()).waiting, 1);
      }),
  },
  {
    name: 'relays in the background from start to stop, at once when woken, through failures',
    run: (db) =>
      withOutbox(db, { pollMs: 3_600_000, backoff: { baseDelayMs: 1 } }, async ({ outbox, log, stream }) => {
        let broken = true;
        const events: OutboxEvents = {
          prepare: (drafts) => stream.prepare(drafts),
          publishPrepared: (prepared, call) =>
            broken ? Promise.reject(new Error('no connection')) : stream.publishPrepared(prepared, call),
        };
        await using flaky = new Outbox({ db, events, pollMs: 3_600_000, backoff: { baseDelayMs: 1 } });
        await writeAll(db, outbox, ['a']);
        flaky.start();
        await until(() => flaky.stats().failures >= 2);
        broken = false;
        await until(async () => (await log()).length === 1);
        await writeAll(db, outbox, ['b']);
        flaky.wake();
        await until(async () => (await log()).length === 2);
        await flaky.stop();
        assert.equal(flaky.stats().running, false);
        await writeAll(db, outbox, ['c']);
        flaky.wake();
        await sleep(50);
        assert.deepEqual(await log(), ['a', 'b']);
      }),
  },
  {
    name: 'waits for a transaction that is open in front of an event, so that the order of writing holds',
    needs: 'concurrentTransactions',
    run: (db) =>
      withOutbox(db, { maxHoldMs: 3_600_000 }, async ({ outbox, log }) => {
        const slow = await openTransaction(db, (tx) => outbox.publish(tx, 'orders', 1, { id: 'first' }));
        await writeAll(db, outbox, ['second']);
        assert.equal(await outbox.relay(), 0);
        assert.equal(await outbox.relay(), 0);
        const later = await openTransaction(db, (tx) => outbox.publish(tx, 'orders', 3, { id: 'third' }));
        await slow.commit();
        // What is behind `later` waits for it; what is in front of it does not.
        await writeAll(db, outbox, ['fourth']);
        await relayed(outbox, 2);
        assert.deepEqual(await log(), ['first', 'second']);
        assert.equal(await outbox.relay(), 0);
        await later.commit();
        await relayed(outbox, 2);
        assert.deepEqual(await log(), ['first', 'second', 'third', 'fourth']);
      }),
  },
  {
    name: 'waits for the number that was drawn first, also when its transaction began to write last',
    needs: 'concurrentTransactions',
    run: (db) =>
      withOutbox(db, { maxHoldMs: 3_600_000 }, async ({ outbox, log }) => {
        let early: OutboxTransaction | undefined;
        const older = await openTransaction(db, async (tx) => {
          early = tx;
          await tx.sql`select pg_current_xact_id()::text`;
        });
        const newer = await openTransaction(db, (tx) => outbox.publish(tx, 'orders', 1, { id: 'first' }));
        assert.ok(early);
        await outbox.publish(early, 'orders', 2, { id: 'second' });
        await older.commit();
        assert.equal(await outbox.relay(), 0);
        await newer.commit();
        await relayed(outbox, 2);
        assert.deepEqual(await log(), ['first', 'second']);
      }),
  },
  {
    name: 'lets events pass an open transaction after maxHoldMs, and loses none when that commits',
    needs: 'concurrentTransactions',
    run: (db) =>
      withOutbox(db, { maxHoldMs: 30 }, async ({ outbox, log }) => {
        const slow = await openTransaction(db, (tx) => outbox.publish(tx, 'orders', 1, { id: 'slow' }));
        await writeAll(db, outbox, ['quick']);
        await relayed(outbox, 1);
        assert.deepEqual(await log(), ['quick']);
        await slow.commit();
        await relayed(outbox, 1);
        assert.deepEqual(await log(), ['quick', 'slow']);
      }),
  },
  {
    name: 'keeps order and count with several relays and writers at once',
    needs: 'concurrentTransactions',
    run: (db) =>
      withOutbox(db, { batchSize: 7 }, async ({ outbox, log, stream }) => {
        const relays = Array.from({ length: 3 }, () => new Outbox({ db, events: stream, batchSize: 5, pollMs: 1 }));
        for (const relay of relays) relay.start();
        /** By id, the number of its row. */
        const written = new Map<string, number>();
        const writers = Array.from({ length: 4 }, async (_, writer) => {
          for (let n = 0; n < 15; n++) {
            const id = `${writer}-${n}`;
            const rollBack = n % 5 === 4;
            const work = db.transaction(async (tx) => {
              await outbox.publish(tx, 'orders', n, { id });
              const [row] = await tx.sql`select currval(pg_get_serial_sequence('safla_outbox', 'seq'))::text as seq`;
              if (n % 3 === 0) await sleep(5);
              if (rollBack) throw new Error('no');
              return Number((row as { seq: string }).seq);
            });
            if (rollBack) await assert.rejects(work);
            else written.set(id, await work);
          }
        });
        await Promise.all(writers);
        await until(async () => (await outbox.backlog()).waiting === 0);
        await Promise.all(relays.map((relay) => relay.close()));
        const inOrder = [...written].sort(([, a], [, b]) => a - b).map(([id]) => id);
        assert.deepEqual(await log(), inOrder);
      }),
  },
]);

interface OutboxFixture {
  readonly db: OutboxDatabase;
  readonly outbox: Outbox;
  readonly stream: EventStream;
  /** Ids in the stream's log. */
  readonly log: () => Promise<string[]>;
}

async function withOutbox(
  db: OutboxDatabase,
  options: Partial<OutboxOptions>,
  work: (fixture: OutboxFixture) => Promise<void>,
): Promise<void> {
  await using stream = new EventStream({ transport: inProcess() });
  await using outbox = new Outbox({ db, events: refusing(stream, 'bad'), ...options });
  const log = async (): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { id } of stream.replay('orders')) ids.push(id);
    return ids;
  };
  await work({ db, outbox, stream, log });
}

/** Refuses one id for good, as a transport with a smaller limit would. */
function refusing(stream: EventStream, bad: string): OutboxEvents {
  return {
    prepare: (drafts) => stream.prepare(drafts),
    async publishPrepared(events, options) {
      if (events.some(({ id }) => id === bad))
        throw new ValidationError('Event', [{ path: [], message: 'is too long' }]);
      return stream.publishPrepared(events, options);
    },
  };
}

/** Fails before or after it published. */
function failing(stream: EventStream, when: 'before' | 'after'): OutboxEvents {
  return {
    prepare: (drafts) => stream.prepare(drafts),
    async publishPrepared(events, options) {
      if (when === 'after') await stream.publishPrepared(events, options);
      throw new Error('the relay died');
    },
  };
}

async function writeAll(db: OutboxDatabase, outbox: Outbox, ids: readonly string[]): Promise<void> {
  const drafts = ids.map((id) => ({ channel: 'orders', data: { id }, id }));
  await db.transaction((tx) => outbox.publishMany(tx, drafts));
}

/** A transaction that did its work and stays open until `commit`. */
async function openTransaction(
  db: OutboxDatabase,
  work: (tx: OutboxTransaction) => Promise<unknown>,
): Promise<{ readonly commit: () => Promise<void> }> {
  let worked = (): void => undefined;
  let end = (): void => undefined;
  const mayEnd = new Promise<void>((resolve) => {
    end = resolve;
  });
  const hasWorked = new Promise<void>((resolve) => {
    worked = resolve;
  });
  const whole = db.transaction(async (tx) => {
    await work(tx);
    worked();
    await mayEnd;
  });
  await Promise.race([hasWorked, whole]);
  return {
    commit: () => {
      end();
      return whole;
    },
  };
}

/** Relays until `count` events went: transactions of others on the same server may hold them back for a while. */
async function relayed(outbox: Outbox, count: number): Promise<void> {
  let sum = 0;
  await until(async () => {
    sum += await outbox.relay();
    return sum >= count;
  });
  assert.equal(sum, count, 'events relayed');
}

/** Fails after 20 s, so that a case ends also under runners without a limit. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < end, `waited 20 s for ${String(condition)}`);
    await sleep(5);
  }
}
