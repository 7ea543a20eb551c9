import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import { ConfigurationError, TimeoutError, withContext } from '@safla/sdk/core';
import {
  ConnectFailedError,
  DatabaseError,
  PostgresDatabase,
  type PostgresDatabaseOptions,
  sql,
} from '@safla/sdk/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newName, rejection, TestServer } from './support.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const shown = (value: unknown): string =>
  `${String(value)} ${inspect(value, { depth: 9, showHidden: true })} ${JSON.stringify(value)} ${(value as Error).stack ?? ''}`;

describe('connecting', () => {
  it('fails with the reason, and never shows the password', async () => {
    const wrong = (change: (url: URL) => void): string => {
      const url = new URL(server.url);
      change(url);
      return url.href;
    };
    const cases: [string, unknown, object][] = [
      [
        wrong((url) => {
          url.password = 'hunter2hunter2';
        }),
        DatabaseError,
        { kind: 'authentication', retryable: false },
      ],
      [
        wrong((url) => {
          url.pathname = '/no_such_database';
          url.password ||= 'hunter2hunter2';
        }),
        DatabaseError,
        { kind: 'unknown-database', sqlstate: '3D000' },
      ],
      [
        'postgres://u:hunter2hunter2@127.0.0.1:1/x',
        ConnectFailedError,
        { systemCode: 'ECONNREFUSED', retryable: true },
      ],
      ['postgres://u:hunter2hunter2@no-such-host.invalid/x', ConnectFailedError, {}],
    ];
    for (const [url, type, facts] of cases) {
      const db = server.open({ url });
      const error = await rejection(db.sql`select 1`);
      expect(error).toBeInstanceOf(type);
      expect(error).toMatchObject(facts);
      expect(shown(error)).not.toContain('hunter2');
      expect(shown(error)).not.toContain(new URL(url).password);
      expect(shown(db)).not.toContain('hunter2');
      expect(await db.isConnected()).toBe(false);
      expect(shown(await db.health())).not.toContain('hunter2');
      await db.close();
    }
  });

  it('gives up on a server that accepts and says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as AddressInfo;
    const db = server.open({ url: `postgres://u:p@127.0.0.1:${port}/x`, connectTimeoutMs: 200 });
    expect(await rejection(db.sql`select 1`)).toBeInstanceOf(ConnectFailedError);
    expect(await rejection(withContext({ timeoutMs: 50 }, () => db.sql`select 1`))).toBeInstanceOf(TimeoutError);
    await db.close({ timeoutMs: 0 });
    silent.close();
  });

  it('speaks to a server that is none', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const db = server.open({ url: `postgres://u:p@127.0.0.1:${port}/x`, connectTimeoutMs: 2_000 });
    expect(await rejection(db.sql`select 1`)).toBeInstanceOf(ConnectFailedError);
    await db.close({ timeoutMs: 0 });
    other.close();
  });

  it('uses the settings it was given', async () => {
    const db = server.open({
      applicationName: 'my app',
      statementTimeoutMs: 1_234,
      lockTimeoutMs: 2_345,
      idleInTransactionTimeoutMs: false,
    });
    const read = async (name: string) => Object.values(await db.sql.one`select current_setting(${name}) v`)[0];
    expect(await read('application_name')).toBe('my app');
    expect(await read('statement_timeout')).toBe('1234ms');
    expect(await read('lock_timeout')).toBe('2345ms');
    expect(await read('idle_in_transaction_session_timeout')).toBe('0');
  });

  it('keeps the context that surrounds a call', async () => {
    const db = server.open();
    const reason = new Error('the tool call was cancelled');
    const abort = new AbortController();
    const call = rejection(
      withContext({ signal: abort.signal }, () => db.transaction((tx) => tx.sql`select pg_sleep(30)`)),
    );
    setTimeout(() => abort.abort(reason), 100);
    expect(await call).toBe(reason);
    // What runs inside of a transaction is cancelled with it, though no signal is passed.
    expect(await rejection(db.transaction(() => db.sql`select pg_sleep(30)`, { timeoutMs: 200 }))).toBeInstanceOf(
      TimeoutError,
    );
  });

  it('keeps a bounded number of statements prepared', async () => {
    const db = server.open({ maxConnections: 1, preparedStatements: 5 });
    for (let n = 0; n < 40; n++) {
      const text = `select ${n} as n, `;
      const strings = Object.assign([text, '::int as v'], {
        raw: [text, '::int as v'],
      }) as unknown as TemplateStringsArray;
      for (let again = 0; again < 3; again++) expect(await db.sql(strings, again)).toEqual([{ n, v: again }]);
    }
    const { n } = await db.sql.one<{ n: number }>`select count(*) n from pg_prepared_statements`;
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThanOrEqual(5);
  });

  it('reads from replicas in turn, and from the primary when none answers', async () => {
    const db = server.open({ replicas: [server.url, 'postgres://u:p@127.0.0.1:1/x'] });
    for (let i = 0; i < 4; i++) expect(await db.sql.with({ replica: true })`select 1 a`).toEqual([{ a: 1 }]);
    expect(db.metrics().replicas[0]?.acquired).toBe(4);
    expect(db.metrics().primary.acquired).toBe(0);
    const alone = server.open({ replicas: ['postgres://u:p@127.0.0.1:1/x'] });
    expect(await alone.sql.with({ replica: true })`select 1 a`).toEqual([{ a: 1 }]);
    for await (const row of alone.stream(sql`select 1 a`, { replica: true })) expect(row).toEqual({ a: 1 });
    expect(await alone.read('select 1 a', [], { replica: true })).toMatchObject({ rows: [{ a: 1 }] });
  });

  it('encrypts when told to, and fails where it cannot', async () => {
    const url = new URL(server.url);
    url.searchParams.set('sslmode', 'require');
    const db = server.open({ url: url.href });
    const answer = await db.sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.catch(
      (error: unknown) => error,
    );
    // The test server speaks no TLS, or has a certificate that nobody vouches for.
    expect(answer).toBeInstanceOf(ConnectFailedError);
  });
});

describe('options', () => {
  const refused = (options: unknown): ConfigurationError => {
    try {
      new PostgresDatabase(options as PostgresDatabaseOptions);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      return error as ConfigurationError;
    }
    throw new Error('It was accepted');
  };

  it.each([
    [{}],
    [{ url: 'memory:', pool: { connect() {}, end() {} } }],
    [{ url: 'mysql://root:hunter2@x/y' }],
    [{ url: 'not a url hunter2' }],
    [{ url: 'postgres://u:hunter2@h/d?sslmod=require' }],
    [{ url: 'postgres://u:hunter2@h/d?sslmode=maybe' }],
    [{ url: 'postgres://u:hunter2@h/d?connect_timeout=soon' }],
    [{ url: 'postgres://u:hunter2%zz@h/d' }],
    [{ url: 'memory://hunter2' }],
    [{ url: 'file:' }],
    [{ url: 'memory:', maxConnections: 5 }],
    [{ url: 'memory:', replicas: ['postgres://u:hunter2@h/d'] }],
    [{ url: 'postgres://h/d', extensions: ['vector'] }],
    [{ url: 'memory:', extensions: ['postgis'] }],
    [{ url: 'postgres://h/d', replicas: ['memory:'] }],
    [{ url: 'memory:', schema: 'public' }],
    [{ url: 'memory:', schema: 'a; drop' }],
    [{ url: 'memory:', statementTimeoutMs: 0 }],
    [{ url: 'memory:', acquireTimeout: 5 }],
    [{ url: 'memory:', preparedStatements: -1 }],
    [{ url: 'memory:', migrations: [{ id: 'a' }] }],
    [{ pool: 5 }],
  ])('are checked when the object is made: %j', (options) => {
    expect(shown(refused(options))).not.toContain('hunter2');
  });

  it('name what was meant', () => {
    expect(refused({ url: 'postgres://h/d?sslmod=require' }).message).toContain("'sslmode'");
    expect(refused({ url: 'memory:', acquireTimeout: 5 }).message).toContain("'acquireTimeoutMs'");
  });
});

describe('a database in a folder', () => {
  it('keeps its rows, and belongs to one process at a time', async () => {
    const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
    const { join } = await import('node:path');
    const { tmpdir } = await import('node:os');
    const folder = await mkdtemp(join(tmpdir(), 'database-'));
    try {
      const url = `file:${join(folder, 'my data')}`;
      const table = newName();
      const first = server.open({ url });
      await first.query(`create table ${table} (id int)`);
      await first.query(`insert into ${table} values (1)`);
      expect(await rejection(server.open({ url }).sql`select 1`)).toBeInstanceOf(ConfigurationError);
      await first.close();
      // The mark of a process that is gone does not count.
      await writeFile(join(folder, 'my data.lock'), '999999999');
      const second = server.open({ url });
      expect(await second.query(`select * from ${table}`)).toEqual([{ id: 1 }]);
      await second.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
