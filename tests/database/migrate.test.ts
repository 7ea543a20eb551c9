import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '@safla/sdk/core';
import { MigrationError } from '@safla/sdk/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newName, rejection, TestServer } from './support.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

describe('migrators at once', () => {
  it('run each migration once, whoever is first', async () => {
    const schema = newName('m');
    const list = Array.from({ length: 5 }, (_, n) => ({
      id: `${n}`,
      up: n === 0 ? 'create table runs (n int)' : `select pg_sleep(0.05); insert into runs values (${n})`,
    }));
    const migrators = Array.from({ length: 4 }, () =>
      server.open({ schema, migrations: list, lockTimeoutMs: 100, statementTimeoutMs: 300 }),
    );
    const results = await Promise.all(migrators.map((db) => db.migrate()));
    expect(results.flatMap(({ applied }) => applied).sort()).toEqual(['0', '1', '2', '3', '4']);
    const db = migrators[0] as (typeof migrators)[number];
    expect(await db.sql`select n from runs order by n`).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
    // The limits of the database hold again after the migrations, which had none.
    expect(await db.sql.one`show lock_timeout`).toEqual({ lock_timeout: '100ms' });
    await db.cleanup();
  });

  it('can be cancelled while they wait for the other one', async () => {
    const schema = newName('m');
    const slow = server.open({ schema });
    const waiting = server.open({ schema });
    const first = slow.migrate([{ id: 'slow', up: 'select pg_sleep(1)' }]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const error = await rejection(
      waiting.migrate([{ id: 'slow', up: 'select pg_sleep(1)' }], { signal: AbortSignal.timeout(100) }),
    );
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(await first).toEqual({ applied: ['slow'] });
    await slow.cleanup();
  });
});

describe.each(['postgres', 'memory'])('a folder of migrations on %s', (engine) => {
  it('runs once, is checksummed, and says which file failed to load', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'migrations-'));
    const schema = newName('m');
    const db = server.open({ schema, ...(engine === 'memory' ? { url: 'memory:' } : {}), migrations: { dir: folder } });
    try {
      await writeFile(join(folder, '1700000000001_users.sql'), 'create table users (id int);');
      await writeFile(join(folder, '1700000000002_ada.sql'), 'insert into users values (1);');
      expect(await db.migrate()).toEqual({ applied: ['1700000000001_users', '1700000000002_ada'] });
      expect(await db.migrate()).toEqual({ applied: [] });
      expect(await db.sql`select * from users`).toEqual([{ id: 1 }]);
      await writeFile(join(folder, '1700000000002_ada.sql'), 'insert into users values (2);');
      expect(await rejection(db.migrate())).toMatchObject({ migration: '1700000000002_ada', kind: 'migration' });
      await writeFile(join(folder, '1700000000002_ada.sql'), 'insert into users values (1);');
      await writeFile(
        join(folder, '1700000000003_bad.sql'),
        "insert into users values (3); insert into users values ('x');",
      );
      expect(await rejection(db.migrate())).toBeInstanceOf(MigrationError);
      expect(await db.sql`select * from users`).toEqual([{ id: 1 }]);
      expect(await db.sql.one`select 1 a`).toEqual({ a: 1 });
      await rm(join(folder, '1700000000003_bad.sql'));
      expect(await db.migrate()).toEqual({ applied: [] });
      expect(await rejection(db.migrate({ dir: join(folder, 'nothing here') }))).toBeInstanceOf(ConfigurationError);
    } finally {
      await db.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
