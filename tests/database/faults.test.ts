import { ClosedError, ConnectionError, TimeoutError } from '@safla/sdk/core';
import {
  ConnectFailedError,
  ConnectionLostError,
  DeadlockError,
  LockTimeoutError,
  PoolExhaustedError,
  type PostgresDatabase,
  StatementTimeoutError,
  sql,
} from '@safla/sdk/database';
import { FaultProxy } from '@safla/sdk/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { abandon, eventually, newName, rejection, TestServer } from './support.js';

/** A server that these tests may break. */
let server: TestServer;
let admin: PostgresDatabase;
let proxy: FaultProxy;

beforeAll(async () => {
  server = await TestServer.start({ kinds: ['system', 'package'] });
  admin = server.open({ applicationName: 'admin' });
  proxy = await FaultProxy.start({ target: server.url });
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await proxy.close();
});

afterEach(async () => {
  await proxy.heal();
});

interface Subject extends AsyncDisposable {
  readonly db: PostgresDatabase;
  readonly name: string;
  /** Ends the connections of this database on the server, those whose state matches. */
  kill(state?: string): Promise<number>;
  /** Waits until a statement of this database runs there. */
  running(text: string): Promise<void>;
  /** Works again, has nothing left in use, and no more connections on the server than it knows of. */
  recovers(): Promise<void>;
}

function subject(options: Parameters<TestServer['open']>[0] = {}): Subject {
  const name = newName('app');
  const db = server.open({ maxConnections: 4, applicationName: name, ...options });
  const kill = async (state = '%'): Promise<number> =>
    (
      await admin.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name} and state like ${state}`
    ).length;
  return {
    db,
    name,
    kill,
    running: (text) =>
      eventually(
        async () =>
          (
            await admin.sql`select 1 from pg_stat_activity where application_name = ${name} and state <> 'idle' and query like ${`%${text}%`}`
          ).length > 0,
      ),
    async recovers() {
      await eventually(accepts);
      const started = performance.now();
      // One failed attempt at most, which met a connection that was dying.
      await eventually(() =>
        db.sql`select 1`.then(
          () => true,
          (error: unknown) => {
            if (error instanceof ConnectionError || error instanceof TimeoutError) return false;
            throw error;
          },
        ),
      );
      // The time is checked where it means something: in the long form, on a machine of its own.
      if (process.env.SAFLA_SOAK) expect(performance.now() - started).toBeLessThanOrEqual(1_000);
      await eventually(() => db.metrics().primary.inUse === 0 && db.metrics().running === 0);
      const count = async () =>
        (await admin.sql.one<{ n: number }>`select count(*) n from pg_stat_activity where application_name = ${name}`)
          .n;
      await eventually(async () => (await count()) <= db.metrics().primary.total);
    },
    [Symbol.asyncDispose]: () => abandon(db),
  };
}

/** True when the server takes connections, by a client that knows nothing of ours. */
async function accepts(): Promise<boolean> {
  const client = new pg.Client(server.url);
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('the database survives', () => {
  it('1: a backend that is killed while idle', async () => {
    await using s = subject();
    await s.db.sql`select 1`;
    expect(await s.kill('idle')).toBe(1);
    await s.recovers();
  });

  it('2: a backend that is killed in a statement', async () => {
    await using s = subject();
    const call = rejection(s.db.sql`select pg_sleep(60)`);
    await s.running('pg_sleep');
    await s.kill();
    expect(await call).toBeInstanceOf(ConnectionLostError);
    await s.recovers();
  });

  it('3: a backend that is killed between statements of a transaction', async () => {
    await using s = subject();
    const error = await rejection(
      s.db.transaction(async (tx) => {
        await tx.sql`select 1`;
        await s.kill('idle in transaction');
        await tx.sql`select 2`;
      }),
    );
    expect(error).toBeInstanceOf(ConnectionLostError);
    await s.recovers();
  });

  it('4: a backend that is killed in a COPY', async () => {
    await using s = subject();
    const table = newName();
    await s.db.query(`create table ${table} (id int)`);
    async function* rows() {
      for (let id = 0; ; id++) {
        if (id === 50_000) await s.kill();
        yield { id };
      }
    }
    expect(await rejection(s.db.bulkInsert(table, rows()))).toBeInstanceOf(ConnectionLostError);
    await s.recovers();
    expect(await s.db.query(`select count(*) n from ${table}`)).toEqual([{ n: 0 }]);
  });

  it('5: a backend that is killed in a stream', async () => {
    await using s = subject();
    const read = async (): Promise<void> => {
      let seen = 0;
      for await (const _ of s.db.stream(sql`select generate_series(1, 10000000)`, { batchSize: 100 })) {
        if (++seen === 250) await s.kill();
      }
    };
    expect(await rejection(read())).toBeInstanceOf(ConnectionLostError);
    await s.recovers();
  });

  it('6: all backends killed at once under load', async () => {
    await using s = subject();
    const calls = Array.from({ length: 40 }, () => s.db.sql`select pg_sleep(0.3)`.catch((error: unknown) => error));
    await s.running('pg_sleep');
    await s.kill();
    for (const result of await Promise.all(calls)) {
      if (result instanceof Error) expect(result).toBeInstanceOf(ConnectionError);
    }
    await s.recovers();
  });

  it('7: a server that restarts after a crash', async () => {
    await using s = subject();
    const { pid } = await s.db.sql.one<{ pid: number }>`select pg_backend_pid() pid`;
    const call = rejection(s.db.sql`select pg_sleep(60)`);
    await s.running('pg_sleep');
    process.kill(pid, 'SIGKILL');
    expect(await call).toBeInstanceOf(ConnectionError);
    await s.recovers();
  }, 60_000);

  it('8: a server that is not there for a while', async () => {
    await using s = subject({ url: proxy.url });
    await s.db.sql`select 1`;
    proxy.refuse();
    proxy.cut();
    await eventually(async () => (await rejection(s.db.sql`select 1`)) instanceof ConnectFailedError);
    await proxy.heal();
    await s.recovers();
  });

  it('9: connections that are reset in a statement', async () => {
    await using s = subject({ url: proxy.url });
    const call = rejection(s.db.sql`select pg_sleep(60)`);
    await s.running('pg_sleep');
    proxy.cut();
    expect(await call).toBeInstanceOf(ConnectionLostError);
    await s.recovers();
  });

  it('10: a network that swallows a statement', async () => {
    await using s = subject({ url: proxy.url });
    await s.db.sql`select 1`;
    proxy.freeze();
    expect(await rejection(s.db.sql.with({ timeoutMs: 300 })`select 1`)).toBeInstanceOf(TimeoutError);
    await proxy.heal();
    await s.recovers();
  });

  it('11: a network that swallows answers, so that nothing can be cancelled', async () => {
    await using s = subject({ url: proxy.url });
    await s.db.sql`select 1`;
    proxy.freeze({ direction: 'down' });
    expect(await rejection(s.db.sql.with({ timeoutMs: 300 })`select pg_sleep(0.1)`)).toBeInstanceOf(TimeoutError);
    // The connection is given up, because the server never said that the statement ended.
    await eventually(() => s.db.metrics().primary.lost === 1);
    await proxy.heal();
    await s.recovers();
  });

  it('12: a server that accepts and says nothing', async () => {
    await using s = subject({ url: proxy.url, connectTimeoutMs: 300 });
    proxy.freeze();
    expect(await rejection(s.db.sql`select 1`)).toBeInstanceOf(ConnectFailedError);
    await proxy.heal();
    await s.recovers();
  });

  it('13: more work than connections', async () => {
    await using s = subject({ acquireTimeoutMs: 200 });
    const busy = Promise.all([1, 2, 3, 4].map(() => s.db.sql`select pg_sleep(1)`));
    await s.running('pg_sleep');
    expect(await rejection(s.db.sql`select 1`)).toBeInstanceOf(PoolExhaustedError);
    await busy;
    await s.recovers();
  });

  it('14: more callers than may wait', async () => {
    await using s = subject({ maxConnections: 1, maxWaiting: 2 });
    const abort = new AbortController();
    const busy = rejection(s.db.sql.with({ signal: abort.signal })`select pg_sleep(60)`);
    await s.running('pg_sleep');
    const waiting = Promise.allSettled(Array.from({ length: 3 }, () => s.db.sql`select 1`));
    abort.abort('mine');
    expect(await busy).toBe('mine');
    const refused = (await waiting).filter((call) => call.status === 'rejected');
    expect(refused).toHaveLength(1);
    for (const call of refused) expect(call.reason).toBeInstanceOf(PoolExhaustedError);
    await s.recovers();
  });

  it('15: a caller that aborts a statement', async () => {
    await using s = subject();
    const abort = new AbortController();
    const call = rejection(s.db.sql.with({ signal: abort.signal })`select pg_sleep(60)`);
    await s.running('pg_sleep');
    abort.abort('mine');
    expect(await call).toBe('mine');
    await s.recovers();
    expect(s.db.metrics().primary).toMatchObject({ lost: 0, stopped: 1 });
  });

  it('16: a caller that aborts while it waits for a connection', async () => {
    await using s = subject({ maxConnections: 1 });
    const busy = s.db.sql`select pg_sleep(0.5)`;
    const abort = new AbortController();
    const call = rejection(s.db.sql.with({ signal: abort.signal })`select 1`);
    await s.running('pg_sleep');
    abort.abort('mine');
    expect(await call).toBe('mine');
    await busy;
    await s.recovers();
  });

  it('17: a caller that aborts a transaction', async () => {
    await using s = subject();
    const table = newName();
    await s.db.query(`create table ${table} (id int)`);
    const abort = new AbortController();
    const call = rejection(
      s.db.transaction(
        async (tx) => {
          await tx.query(`insert into ${table} values (1)`);
          await tx.sql`select pg_sleep(60)`;
        },
        { signal: abort.signal },
      ),
    );
    await s.running('pg_sleep');
    abort.abort('mine');
    expect(await call).toBe('mine');
    await s.recovers();
    expect(await s.db.query(`select * from ${table}`)).toEqual([]);
    expect(s.db.metrics().primary.lost).toBe(0);
  });

  it('18: a caller that aborts a stream in a batch', async () => {
    await using s = subject();
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of s.db.stream(sql`select pg_sleep(60)`, { signal: abort.signal }));
    };
    const call = rejection(read());
    await s.running('pg_sleep');
    abort.abort('mine');
    expect(await call).toBe('mine');
    await s.recovers();
    expect(s.db.metrics().primary.lost).toBe(0);
  });

  it('19: a caller that aborts a bulk insert', async () => {
    await using s = subject();
    const table = newName();
    await s.db.query(`create table ${table} (id int)`);
    const abort = new AbortController();
    async function* rows() {
      for (let id = 0; ; id++) {
        if (id === 20_000) abort.abort('mine');
        if (id % 1_000 === 0) await sleep(1);
        yield { id };
      }
    }
    expect(await rejection(s.db.bulkInsert(table, rows(), { signal: abort.signal }))).toBe('mine');
    await s.recovers();
    expect(await s.db.query(`select count(*) n from ${table}`)).toEqual([{ n: 0 }]);
  });

  it('20: a statement that runs too long', async () => {
    await using s = subject({ statementTimeoutMs: 200 });
    expect(await rejection(s.db.sql`select pg_sleep(60)`)).toBeInstanceOf(StatementTimeoutError);
    await s.recovers();
    expect(s.db.metrics().primary.lost).toBe(0);
  });

  it('21: a lock that is not granted', async () => {
    await using s = subject({ lockTimeoutMs: 200 });
    const table = newName();
    await s.db.query(`create table ${table} (id int)`);
    await admin.transaction(async (tx) => {
      await tx.query(`lock table ${table}`);
      expect(await rejection(s.db.query(`select * from ${table}`))).toBeInstanceOf(LockTimeoutError);
    });
    await s.recovers();
  });

  it('22: a transaction that does nothing for too long', async () => {
    await using s = subject({ idleInTransactionTimeoutMs: 200 });
    const error = await rejection(
      s.db.transaction(async (tx) => {
        await tx.sql`select 1`;
        await eventually(
          async () => (await admin.sql`select 1 from pg_stat_activity where application_name = ${s.name}`).length === 0,
        );
        await tx.sql`select 2`;
      }),
    );
    expect(error).toBeInstanceOf(ConnectionLostError);
    await s.recovers();
  });

  it('23: a deadlock, after which the loser runs again', async () => {
    await using s = subject();
    const table = newName();
    await s.db.query(`create table ${table} (id int primary key, n int)`);
    await s.db.query(`insert into ${table} values (1, 0), (2, 0)`);
    const together = barrier(2);
    const crossing = (first: number, second: number, retries: number) =>
      s.db.transaction(
        async (tx) => {
          await tx.query(`update ${table} set n = n + 1 where id = $1`, [first]);
          await together();
          await tx.query(`update ${table} set n = n + 1 where id = $1`, [second]);
        },
        { retries },
      );
    await Promise.all([crossing(1, 2, 5), crossing(2, 1, 5)]);
    expect(await s.db.query(`select n from ${table}`)).toEqual([{ n: 2 }, { n: 2 }]);
    expect(s.db.metrics().retries).toBeGreaterThanOrEqual(1);
    const again = barrier(2);
    const once = (first: number, second: number) =>
      s.db.transaction(
        async (tx) => {
          await tx.query(`update ${table} set n = n + 1 where id = $1`, [first]);
          await again();
          await tx.query(`update ${table} set n = n + 1 where id = $1`, [second]);
        },
        { retries: 0 },
      );
    const results = await Promise.allSettled([once(1, 2), once(2, 1)]);
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed).toHaveLength(1);
    expect(failed[0]?.reason).toBeInstanceOf(DeadlockError);
    await s.recovers();
  });

  it('24: being closed under load', async () => {
    const s = subject();
    const calls = Array.from({ length: 30 }, () => s.db.sql`select pg_sleep(30)`.catch((error: unknown) => error));
    await s.running('pg_sleep');
    await s.db.close({ timeoutMs: 500 });
    for (const result of await Promise.all(calls)) expect(result).toBeInstanceOf(ClosedError);
    await eventually(
      async () => (await admin.sql`select 1 from pg_stat_activity where application_name = ${s.name}`).length === 0,
    );
  });

  it('25: being closed while it connects', async () => {
    const s = subject({ url: proxy.url });
    proxy.freeze();
    const call = rejection(s.db.sql`select 1`);
    await eventually(() => proxy.connections.open > 0);
    await s.db.close({ timeoutMs: 100 }).catch(() => undefined);
    expect(await call).toBeInstanceOf(ClosedError);
  });

  it('26: a listener whose connection is killed, and says so', async () => {
    await using s = subject();
    const channel = newName();
    const seen: string[] = [];
    const said: string[] = [];
    await using _ = await s.db.listen(channel, ({ payload }) => seen.push(payload), {
      onDisconnect: (error) => said.push(error instanceof ConnectFailedError ? 'lost' : String(error)),
      onReconnect: () => said.push('back'),
    });
    await s.db.notify(channel, 'one');
    await eventually(() => seen.length === 1);
    await s.kill();
    await eventually(() => said.length === 2);
    await eventually(() =>
      s.db.notify(channel, 'two').then(
        () => true,
        () => false,
      ),
    );
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['one', 'two']);
    expect(said).toEqual(['lost', 'back']);
  });

  it('27: a server that takes no more connections', async () => {
    const role = newName('r');
    await admin.query(`create role ${role} login superuser password 'x' connection limit 1`);
    await admin.query(`alter role ${role} nosuperuser`);
    const url = new URL(server.url);
    url.username = role;
    url.password = 'x';
    await using s = subject({ url: url.href });
    const busy = s.db.sql`select pg_sleep(1)`;
    await s.running('pg_sleep');
    expect(await rejection(s.db.sql`select 1`)).toMatchObject({ retryable: true });
    await busy;
    await s.recovers();
  });

  it('28: a host whose own pool has no error listener', async () => {
    const name = newName('app');
    const pool = new pg.Pool({ connectionString: server.url, application_name: name, max: 2 });
    const db = server.open({ pool });
    await db.sql`select 1`;
    await admin.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`;
    await eventually(() =>
      db.sql`select 1`.then(
        () => true,
        () => false,
      ),
    );
    await db.close();
    expect(await pool.query('select 1 as a')).toMatchObject({ rows: [{ a: 1 }] });
    await pool.end();
  });
});

/** Lets everybody through when `count` have come; later ones at once. */
function barrier(count: number): () => Promise<void> {
  let open: () => void = () => undefined;
  let missing = count;
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    missing -= 1;
    if (missing <= 0) open();
    return all;
  };
}
