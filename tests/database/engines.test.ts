import { ClosedError, ConfigurationError, NotFoundError, UnsupportedError, ValidationError } from '@safla/sdk/core';
import {
  CheckViolationError,
  DatabaseError,
  ForeignKeyViolationError,
  MigrationError,
  NotNullViolationError,
  type PostgresDatabase,
  sql,
  UniqueViolationError,
} from '@safla/sdk/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newName, rejection, TestServer } from './support.js';

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** The same promises on both engines: a server, and PGlite in this process. */
describe.each(['postgres', 'memory'] as const)('on %s', (engine) => {
  let db: PostgresDatabase;
  const open = (): PostgresDatabase => server.open(engine === 'memory' ? { url: 'memory:' } : {});

  beforeAll(async () => {
    db = open();
    await db.sql`select 1`;
  }, 120_000);

  async function newTable(columns: string): Promise<string> {
    const name = newName();
    await db.query(`create table "${name}" (${columns})`);
    return name;
  }

  describe('statements', () => {
    it('give rows with their number', async () => {
      const name = await newTable('id int primary key, note text');
      const inserted = await db.sql`insert into ${sql.id(name)} ${sql.values([
        { id: 1, note: 'a' },
        { id: 2, note: null },
      ])}`;
      expect(inserted).toEqual([]);
      expect(inserted.rowCount).toBe(2);
      const rows = await db.sql<{ id: number; note: string | null }>`select * from ${sql.id(name)} order by id`;
      expect(rows).toEqual([
        { id: 1, note: 'a' },
        { id: 2, note: null },
      ]);
      expect(rows.rowCount).toBe(2);
      const updated =
        await db.sql`update ${sql.id(name)} set ${sql.set({ note: 'c' })} where id in (${sql.list([1, 2, 3])})`;
      expect(updated.rowCount).toBe(2);
    });

    it('read types exactly', async () => {
      const row = await db.sql
        .one`select 9007199254740993::int8 big, 42::int8 small, count(*) n, 1.50::numeric(5,2) num,
        date '2026-11-22' d, timestamp '2026-11-22 01:02:03' local, timestamptz '2026-11-22 01:02:03+00' t,
        '{"a":[1]}'::jsonb j, '\\xdeadbeef'::bytea b, interval '1 day 2 hours' i, true yes, 1.5::float8 f,
        array[9007199254740993, 1]::int8[] bigs, array['a', null, 'c,"d"'] texts, array['2026-11-22']::date[] days, null nothing`;
      expect(row).toEqual({
        big: 9007199254740993n,
        small: 42,
        n: 1,
        num: '1.50',
        d: '2026-11-22',
        local: '2026-11-22 01:02:03',
        t: new Date('2026-11-22T01:02:03Z'),
        j: { a: [1] },
        b: Buffer.from('deadbeef', 'hex'),
        i: '1 day 02:00:00',
        yes: true,
        f: 1.5,
        bigs: [9007199254740993n, 1],
        texts: ['a', null, 'c,"d"'],
        days: ['2026-11-22'],
        nothing: null,
      });
    });

    it('send every kind of value as it is', async () => {
      const date = new Date('2026-11-22T01:02:03.456Z');
      const row = await db.sql
        .one`select ${'x'}::text s, ${1.5}::float8 n, ${12345678901234567890n}::numeric big, ${true}::bool yes,
        ${null}::text nothing, ${date}::timestamptz t, ${new Uint8Array([0, 255])}::bytea b, ${sql.json([1, { a: null }])}::jsonb j,
        ${sql.array(['a,"b"', null, '\\'], 'text')} texts, ${sql.array(
          [
            [1, 2],
            [3, 4],
          ],
          'int4',
        )} grid`;
      expect(row).toEqual({
        s: 'x',
        n: 1.5,
        big: '12345678901234567890',
        yes: true,
        nothing: null,
        t: date,
        b: Buffer.from([0, 255]),
        j: [1, { a: null }],
        texts: ['a,"b"', null, '\\'],
        grid: [
          [1, 2],
          [3, 4],
        ],
      });
    });

    it('keep dates of far years', async () => {
      for (const text of ['-004712-01-01T00:00:00.000Z', '0000-06-15T00:00:00.000Z', '+012345-01-01T00:00:00.000Z']) {
        const iso = text.startsWith('0000') ? '0000-06-15T00:00:00.000Z' : text;
        const date = new Date(iso);
        const row = await db.sql.one<{ ms: number }>`select extract(epoch from ${date}::timestamptz)::float8 * 1000 ms`;
        // PostgreSQL has no year 0; both count the same days.
        expect(row.ms).toBe(date.getTime());
      }
    });

    it('refuse values without one meaning before anything is sent', async () => {
      for (const value of [
        undefined,
        [1],
        { a: 1 },
        () => 1,
        Symbol('x'),
        new Date(Number.NaN),
        'a\0b',
        '\ud800',
        new Map(),
      ]) {
        expect(await rejection(db.sql`select ${value as string}`)).toBeInstanceOf(ValidationError);
      }
      expect(
        await rejection(db.sql`select ${sql.json('a')}`.then(() => db.sql`select ${db.sql`select 1` as never}`)),
      ).toBeInstanceOf(ValidationError);
    });

    it('check rows by a schema', async () => {
      const Item = z.object({ id: z.coerce.string(), n: z.number() });
      expect(await db.sql.as(Item)`select 7 id, 1 n union all select 8, 2`).toEqual([
        { id: '7', n: 1 },
        { id: '8', n: 2 },
      ]);
      expect(await db.sql.as(Item).one`select 7 id, 1 n`).toEqual({ id: '7', n: 1 });
      const error = await rejection(db.sql.as(Item)`select 7 id, 'secret-value' n`);
      expect(error).toBeInstanceOf(ValidationError);
      expect(String(error)).not.toContain('secret-value');
    });

    it('say how many rows there were where one was asked for', async () => {
      expect(await db.sql.maybeOne`select 1 a where false`).toBeUndefined();
      expect(await rejection(db.sql.one`select 1 a where false`)).toBeInstanceOf(NotFoundError);
      expect(await rejection(db.sql.one`select 1 union all select 2`)).toBeInstanceOf(DatabaseError);
      expect(await rejection(db.sql.maybeOne`select 1 union all select 2`)).toBeInstanceOf(DatabaseError);
    });

    it('are one per call', async () => {
      const name = await newTable('id int');
      const error = await rejection(db.query(`select 1; drop table "${name}"`));
      expect(error).toMatchObject({ sqlstate: '42601' });
      expect(await db.query(`select * from "${name}"`)).toEqual([]);
    });

    it.each([
      'begin',
      'COMMIT',
      '/* hi /* there */ */ rollback',
      '-- x\n start transaction',
      'set search_path = x',
      'listen c',
      'deallocate all',
      'discard all',
      'savepoint a',
      'copy t from stdin',
    ])('that need a connection of their own are refused: %s', async (text) => {
      expect(await rejection(db.query(text))).toBeInstanceOf(UnsupportedError);
    });

    it('refuse settings that are none', async () => {
      const misspelt = { timeout: 80 } as never;
      const none = undefined as never;
      for (const attempt of [
        () => db.query('select 1', [], misspelt),
        () => db.query(sql`select 1`, misspelt),
        async () => db.sql.with(misspelt)`select 1`,
        () => db.transaction((tx) => tx.query('select 1', [], misspelt)),
        () => db.transaction((tx) => tx.savepoint(none)),
        () => db.transaction(none),
        () => db.listen('jobs', none),
        () => db.listen('', () => undefined),
        () => db.listen('jobs', () => undefined, misspelt),
      ]) {
        expect(await rejection(attempt()), String(attempt)).toBeInstanceOf(ConfigurationError);
      }
      await expect(db.query('select 1', [], misspelt)).rejects.toThrow(/query.timeout is not an option/);
    });

    it('survive a change of the table under a prepared statement', async () => {
      const name = await newTable('id int');
      const read = () => db.sql`select * from ${sql.id(name)}`;
      const fixed = newName();
      await db.query(`create table ${fixed} (id int)`);
      await read();
      // One place in the program, many runs: prepared from the second on.
      const strings = Object.assign([`select * from ${fixed}`], {
        raw: [`select * from ${fixed}`],
      }) as unknown as TemplateStringsArray;
      for (let i = 0; i < 5; i++) await db.sql(strings);
      await db.query(`alter table ${fixed} add column extra text default 'x'`);
      await db.query(`insert into ${fixed} (id) values (1)`);
      for (let i = 0; i < 5; i++) expect(await db.sql(strings)).toEqual([{ id: 1, extra: 'x' }]);
    });
  });

  describe('failures', () => {
    it('name the constraint and never the value', async () => {
      const parent = await newTable('id int primary key');
      const name = await newTable(
        `id int primary key, email text unique, age int check (age > 0), parent int references "${parent}", must text not null default 'x'`,
      );
      const t = sql.id(name);
      await db.sql`insert into ${t} (id, email) values (1, 'canary@example')`;
      const cases: [() => Promise<unknown>, unknown, object][] = [
        [
          () => db.sql`insert into ${t} (id, email) values (2, ${'canary@example'})`,
          UniqueViolationError,
          { kind: 'unique', sqlstate: '23505', table: name, constraint: `${name}_email_key` },
        ],
        [
          () => db.sql`insert into ${t} (id, age) values (2, ${-987654})`,
          CheckViolationError,
          { kind: 'check', sqlstate: '23514' },
        ],
        [
          () => db.sql`insert into ${t} (id, parent) values (2, ${987654})`,
          ForeignKeyViolationError,
          { kind: 'foreign-key', sqlstate: '23503' },
        ],
        [
          () => db.sql`insert into ${t} (id, must) values (2, null)`,
          NotNullViolationError,
          { kind: 'not-null', column: 'must' },
        ],
        [() => db.sql`select ${'canary@example'}::int`, DatabaseError, { kind: 'invalid-value', sqlstate: '22P02' }],
        [() => db.sql`select ${'987654987654'}::int`, DatabaseError, { kind: 'invalid-value', sqlstate: '22003' }],
        [() => db.sql`select ${'{"canary@example'}::jsonb`, DatabaseError, { kind: 'invalid-value' }],
        [() => db.query("select 'canary@example' 987654 'x'"), DatabaseError, { kind: 'syntax', sqlstate: '42601' }],
        [() => db.sql`select * from no_such_table`, DatabaseError, { kind: 'undefined-object', sqlstate: '42P01' }],
      ];
      for (const [call, type, facts] of cases) {
        const error = await rejection(call());
        expect(error).toBeInstanceOf(type);
        expect(error).toMatchObject({ code: 'DATABASE', retryable: false, ...facts });
        const { inspect } = await import('node:util');
        const shown = `${String(error)} ${JSON.stringify(error)} ${inspect(error, { depth: 9, showHidden: true })} ${(error as Error).stack}`;
        expect(shown).not.toMatch(/canary|987654/);
      }
    });
  });

  describe('transactions', () => {
    it('commit what the function returned from, roll back what it threw from', async () => {
      const t = sql.id(await newTable('id int'));
      expect(await db.transaction(async (tx) => (await tx.sql`insert into ${t} values (1) returning id`)[0])).toEqual({
        id: 1,
      });
      const boom = new Error('boom');
      expect(
        await rejection(
          db.transaction(async (tx) => {
            await tx.sql`insert into ${t} values (2)`;
            throw boom;
          }),
        ),
      ).toBe(boom);
      expect(await db.sql`select * from ${t}`).toEqual([{ id: 1 }]);
    });

    it('undo a savepoint alone', async () => {
      const t = sql.id(await newTable('id int primary key'));
      await db.transaction(async (tx) => {
        await tx.sql`insert into ${t} values (1)`;
        expect(await rejection(tx.savepoint((sp) => sp.sql`insert into ${t} values (1)`))).toBeInstanceOf(
          UniqueViolationError,
        );
        await tx.savepoint(async (sp) => {
          await sp.sql`insert into ${t} values (2)`;
          expect(await rejection(tx.sql`select 1`)).toMatchObject({ kind: 'transaction' });
          await rejection(
            sp.savepoint(async (inner) => {
              await inner.sql`insert into ${t} values (3)`;
              throw new Error('no');
            }),
          );
        });
      });
      expect(await db.sql`select id from ${t} order by id`).toEqual([{ id: 1 }, { id: 2 }]);
    });

    it('do not pretend to commit after a failure that was caught', async () => {
      const t = sql.id(await newTable('id int primary key'));
      const error = await rejection(
        db.transaction(async (tx) => {
          await tx.sql`insert into ${t} values (1)`;
          await tx.sql`insert into ${t} values (1)`.catch(() => undefined);
        }),
      );
      expect(error).toBeInstanceOf(UniqueViolationError);
      expect(await db.sql`select * from ${t}`).toEqual([]);
    });

    it('run statements in order and refuse those that come too late', async () => {
      const t = sql.id(await newTable('n int'));
      let late: () => Promise<unknown> = async () => undefined;
      await db.transaction(async (tx) => {
        for (let n = 0; n < 5; n++) void tx.sql`insert into ${t} values (${n})`;
        late = () => tx.sql`insert into ${t} values (99)`;
      });
      expect(await rejection(late())).toMatchObject({ kind: 'transaction' });
      expect((await db.sql<{ n: number }>`select n from ${t}`).map(({ n }) => n)).toEqual([0, 1, 2, 3, 4]);
    });

    it.each([
      'commit',
      'rollback',
      'begin',
      'savepoint a',
      'set session statement_timeout = 0',
      'set statement_timeout = 0',
    ])('refuse what would end or outlive them: %s', async (text) => {
      expect(await rejection(db.transaction((tx) => tx.query(text)))).toBeInstanceOf(UnsupportedError);
    });

    it('keep a read-only promise', async () => {
      const t = sql.id(await newTable('id int'));
      expect(
        await rejection(db.transaction((tx) => tx.sql`insert into ${t} values (1)`, { readOnly: true })),
      ).toMatchObject({ kind: 'read-only' });
      expect(
        await rejection(db.transaction((tx) => tx.query('set local transaction read write'), { readOnly: true })),
      ).toBeInstanceOf(UnsupportedError);
      expect(
        await rejection(db.transaction((tx) => tx.query('set transaction read write'), { readOnly: true })),
      ).toBeInstanceOf(UnsupportedError);
    });

    it('set what is local to them', async () => {
      await db.transaction(async (tx) => {
        await tx.sql`set local statement_timeout = 1234`;
        expect(await tx.sql.one`show statement_timeout`).toEqual({ statement_timeout: '1234ms' });
      });
      expect(await db.sql.one`show statement_timeout`).not.toEqual({ statement_timeout: '1234ms' });
    });

    it('refuse wrong options', async () => {
      expect(await rejection(db.transaction(async () => 1, { isolation: 'chaos' as never }))).toBeInstanceOf(
        ConfigurationError,
      );
      expect(await rejection(db.transaction(async () => 1, { retry: 1 } as never))).toBeInstanceOf(ConfigurationError);
    });
  });

  describe('streams', () => {
    it('give every row in order', async () => {
      const seen: number[] = [];
      for await (const { n } of db.stream<{ n: number }>(sql`select generate_series(1, ${2_345}::int) n`, {
        batchSize: 100,
      }))
        seen.push(n);
      expect(seen).toEqual(Array.from({ length: 2_345 }, (_, i) => i + 1));
    });

    it('give the connection back when the loop is left', async () => {
      for (let i = 0; i < 15; i++) {
        for await (const row of db.stream(sql`select generate_series(1, 1000000) n`, { batchSize: 10 })) {
          expect(row).toEqual({ n: 1 });
          break;
        }
      }
      expect(await db.sql.one`select 1 a`).toEqual({ a: 1 });
      expect(db.metrics().primary.inUse).toBe(0);
    });

    it('throw typed errors in the loop', async () => {
      const read = async (): Promise<void> => {
        for await (const _ of db.stream(sql`select 1 / (3 - n) from generate_series(1, 10) n`, { batchSize: 1 }));
      };
      expect(await rejection(read())).toMatchObject({ kind: 'invalid-value', sqlstate: '22012' });
      expect(await db.sql.one`select 1 a`).toEqual({ a: 1 });
    });

    it('take fragments, and say so when a statement was sent instead', async () => {
      for (const wrong of [db.sql`select 1`, 'select 1', undefined] as unknown as ReturnType<typeof sql>[]) {
        expect(() => db.stream(wrong)).toThrow(ConfigurationError);
        expect(() => db.stream(wrong)).toThrow('sql`select ...`');
        await wrong;
      }
    });

    it('end with their signal between batches', async () => {
      const abort = new AbortController();
      const reason = new Error('enough');
      const read = async (): Promise<void> => {
        for await (const row of db.stream<{ n: number }>(sql`select generate_series(1, 100000) n`, {
          batchSize: 10,
          signal: abort.signal,
        })) {
          if (row.n === 15) abort.abort(reason);
        }
      };
      expect(await rejection(read())).toBe(reason);
      expect(await db.sql.one`select 1 a`).toEqual({ a: 1 });
      expect(db.metrics().primary.inUse).toBe(0);
    });
  });

  describe('bulk inserts', () => {
    const columns =
      'id int primary key, name text, tags text[], meta jsonb, list jsonb, at timestamptz, raw bytea, n int8, d date, f float8';
    const row = (id: number) => ({
      id,
      name: `n\t${id}\\N\n\r"' ${'ü'.repeat(3)}`,
      tags: ['a,b', null, '"', '\\', ''],
      meta: { id, deep: [{ x: null }] },
      list: [1, 'two', { three: 3 }],
      at: new Date(1_700_000_000_000 + id),
      raw: new Uint8Array([id % 256, 0, 92]),
      n: 9007199254740993n,
      d: '2026-11-22',
      f: id % 2 ? Number.POSITIVE_INFINITY : 0.1,
    });

    it('read values by the types of the columns', async () => {
      const name = await newTable(columns);
      expect(
        await db.bulkInsert(
          name,
          Array.from({ length: 2_500 }, (_, id) => row(id)),
        ),
      ).toEqual({ rowCount: 2_500 });
      const stored = await db.sql.one`select * from ${sql.id(name)} where id = 2001`;
      expect(stored).toEqual({ ...row(2001), raw: Buffer.from(row(2001).raw) });
    });

    it('take rows as they come', async () => {
      const name = await newTable('id int');
      async function* rows() {
        for (let id = 0; id < 1_500; id++) yield { id };
      }
      expect(await db.bulkInsert(name, rows())).toEqual({ rowCount: 1_500 });
      expect(await db.bulkInsert(name, new Set([{ id: 1 }]))).toEqual({ rowCount: 1 });
      expect(await db.bulkInsert(name, [])).toEqual({ rowCount: 0 });
    });

    it('apply nothing when one row is wrong', async () => {
      const name = await newTable('id int primary key, name text');
      const good = Array.from({ length: 1_200 }, (_, id) => ({ id, name: 'x' }));
      const wrong: [unknown, unknown][] = [
        [[...good, { id: 5000 }], ValidationError],
        [[...good, { id: 5000, name: 'x', more: 1 }], ValidationError],
        [[...good, { id: 5000, name: undefined }], ValidationError],
        [[...good, { id: 5000, name: 'a\0b' }], ValidationError],
        [[...good, { id: 3, name: 'again' }], UniqueViolationError],
        [[...good, { id: 'not a number', name: 'x' }], DatabaseError],
        [[...good, 5], ValidationError],
      ];
      for (const [rows, type] of wrong)
        expect(await rejection(db.bulkInsert(name, rows as never))).toBeInstanceOf(type);
      const broken = new Error('the source broke');
      async function* source() {
        yield* good;
        throw broken;
      }
      expect(await rejection(db.bulkInsert(name, source()))).toBe(broken);
      expect(await db.sql`select * from ${sql.id(name)}`).toEqual([]);
      expect(db.metrics().primary.inUse).toBe(0);
    });

    it('resolve conflicts as told', async () => {
      const name = await newTable('id int primary key, a text, b text');
      await db.bulkInsert(name, [{ id: 1, a: 'old', b: 'old' }]);
      expect(
        await db.bulkInsert(
          name,
          [
            { id: 1, a: 'new', b: 'new' },
            { id: 2, a: 'n', b: 'n' },
          ],
          { onConflict: 'ignore' },
        ),
      ).toEqual({ rowCount: 1 });
      await db.bulkInsert(name, [{ id: 1, a: 'newer', b: 'newer' }], { onConflict: { target: ['id'], update: ['a'] } });
      await db.bulkInsert(name, [{ id: 2, a: 'newest', b: 'newest' }], { onConflict: { target: ['id'] } });
      expect(await db.sql`select * from ${sql.id(name)} order by id`).toEqual([
        { id: 1, a: 'newer', b: 'old' },
        { id: 2, a: 'newest', b: 'newest' },
      ]);
    });
  });

  describe('limited reads', () => {
    it('cut off rows and bytes and say so', async () => {
      expect(await db.read(sql`select generate_series(1, 5) n`)).toMatchObject({
        rows: [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }],
        truncated: undefined,
        bytes: 5,
      });
      expect(await db.read('select generate_series(1, $1::int) n', [5], { maxRows: 5 })).toMatchObject({
        truncated: undefined,
      });
      const cut = await db.read(sql`select generate_series(1, 10000) n`, { maxRows: 7 });
      expect(cut.rows).toHaveLength(7);
      expect(cut.truncated).toBe('rows');
      const small = await db.read(sql`select repeat('x', 1000) t from generate_series(1, 10000)`, { maxBytes: 10_000 });
      expect(small.truncated).toBe('bytes');
      expect(small.bytes).toBeLessThanOrEqual(10_000);
      expect(small.rows.length).toBe(small.bytes / 1000);
      const series = sql`select generate_series(1, 5) n`;
      expect(await db.read(series, { maxBytes: 5 })).toMatchObject({ truncated: undefined, bytes: 5 });
      expect(await db.read(series, { maxBytes: 4 })).toMatchObject({ truncated: 'bytes' });
    });

    it('refuse writes, in every disguise', async () => {
      const name = await newTable('id int');
      for (const text of [
        `insert into "${name}" values (1)`,
        `set transaction read write`,
        'begin',
        `update "${name}" set id = 1`,
        'do $$ begin end $$',
        'call x()',
        `copy "${name}" to stdout`,
      ]) {
        expect(await rejection(db.read(text))).toBeInstanceOf(UnsupportedError);
      }
      for (const text of [
        `with w as (insert into "${name}" values (1) returning id) select * from w`,
        `select * from "${name}" for update`,
        `explain analyze insert into "${name}" values (1)`,
      ]) {
        expect(await rejection(db.read(text))).toMatchObject({ kind: 'read-only' });
      }
      expect(await rejection(db.read(`select 1; insert into "${name}" values (1)`))).toMatchObject({
        sqlstate: '42601',
      });
      await db.read("select set_config('transaction_read_only', 'off', false)").catch(() => undefined);
      expect(
        await rejection(db.read(`with w as (insert into "${name}" values (1) returning id) select * from w`)),
      ).toMatchObject({ kind: 'read-only' });
      expect(await db.query(`select * from "${name}"`)).toEqual([]);
    });
  });

  describe('rows by id', () => {
    it('are created, found, changed and deleted', async () => {
      const name = await newTable(
        `id int8 generated by default as identity primary key, name text, tags text[], meta jsonb, at timestamptz`,
      );
      const at = new Date('2026-11-22T00:00:00Z');
      const made = await db.create(name, { name: 'a', tags: ['x', 'y'], meta: ['not', 'an array'], at });
      expect(made).toEqual({ id: 1, name: 'a', tags: ['x', 'y'], meta: ['not', 'an array'], at });
      expect(await db.findById(name, 1)).toEqual(made);
      expect(await db.update(name, 1, { meta: { b: 1 }, name: null })).toEqual({ ...made, meta: { b: 1 }, name: null });
      expect(await db.delete(name, 1)).toBe(true);
      expect(await db.delete(name, 1)).toBe(false);
      expect(await db.findById(name, 1)).toBeNull();
      expect(await rejection(db.update(name, 1, { name: 'x' }))).toBeInstanceOf(NotFoundError);
    });

    it('refuse rows and names that are none', async () => {
      const name = await newTable('id int primary key');
      for (const row of [{}, null, [], 5, { id: undefined }])
        expect(await rejection(Promise.resolve().then(() => db.create(name, row as never)))).toBeInstanceOf(
          ValidationError,
        );
      expect(await rejection(db.findById(name, undefined as never))).toBeInstanceOf(ValidationError);
      expect(await rejection(Promise.resolve().then(() => db.findById('', 1)))).toBeInstanceOf(ValidationError);
      expect(await rejection(Promise.resolve().then(() => db.findById('x'.repeat(64), 1)))).toBeInstanceOf(
        ValidationError,
      );
      expect(await rejection(db.findById('public.x; drop', 1))).toMatchObject({ kind: 'undefined-object' });
    });
  });

  describe('migrations', () => {
    it('run once, in order, and not at all when they fail', async () => {
      const a = newName('a');
      const list = [
        { id: `${a}-1`, up: `create table ${a} (id int); insert into ${a} values (1); -- ; done` },
        {
          id: `${a}-2`,
          up: async (tx: { sql: PostgresDatabase['sql'] }) => tx.sql`insert into ${sql.id(a)} values (2)`,
        },
      ];
      expect(await db.migrate(list)).toEqual({ applied: [`${a}-1`, `${a}-2`] });
      expect(await db.migrate(list)).toEqual({ applied: [] });
      const failing = [...list, { id: `${a}-3`, up: `insert into ${a} values (3); insert into ${a} values ('x')` }];
      const error = await rejection(db.migrate(failing));
      expect(error).toBeInstanceOf(MigrationError);
      expect(error).toMatchObject({ migration: `${a}-3`, kind: 'migration' });
      expect(await db.query(`select * from ${a}`)).toEqual([{ id: 1 }, { id: 2 }]);
      expect(await db.migrate(list)).toEqual({ applied: [] });
    });

    it('refuse a change of what ran, and a new one before it', async () => {
      const a = newName('a');
      await db.migrate([{ id: `${a}-1`, up: `create table ${a} (id int)` }]);
      expect(await rejection(db.migrate([{ id: `${a}-1`, up: `create table ${a} (id int8)` }]))).toBeInstanceOf(
        MigrationError,
      );
      expect(await db.migrate([{ id: `${a}-1`, up: `create table ${a} (id int)` }])).toEqual({ applied: [] });
      const before = [
        { id: `${a}-0`, up: 'select 1' },
        { id: `${a}-1`, up: `create table ${a} (id int)` },
      ];
      expect(await rejection(db.migrate(before))).toMatchObject({ migration: `${a}-0` });
    });

    it('refuse one that commits by itself', async () => {
      const a = newName('a');
      expect(await rejection(db.migrate([{ id: a, up: `create table ${a} (id int); commit` }]))).toBeInstanceOf(
        MigrationError,
      );
      expect(await db.sql.one`select 1 a`).toEqual({ a: 1 });
    });

    it('refuse lists that are wrong', async () => {
      for (const list of [
        [{ id: 'a' }],
        [{ up: 'x' }],
        [
          { id: 'a', up: 'select 1' },
          { id: 'a', up: 'select 1' },
        ],
        'x',
        [null],
      ]) {
        expect(await rejection(Promise.resolve().then(() => db.migrate(list as never)))).toBeInstanceOf(
          ConfigurationError,
        );
      }
      expect(await rejection(db.migrate())).toBeInstanceOf(ConfigurationError);
    });
  });

  it('notifies those who listen until they close', async () => {
    const seen: string[] = [];
    const channel = newName('Channel "quoted"');
    const subscription = await db.listen(channel, ({ payload }) => {
      seen.push(payload);
      if (payload === 'bad') throw new Error('a handler that fails');
    });
    await db.notify(channel, 'bad');
    await db.notify(channel, 'one');
    await db.transaction((tx) => tx.sql`select pg_notify(${channel}, 'two')`);
    const { eventually } = await import('./support.js');
    await eventually(() => seen.length === 3);
    expect(seen).toEqual(['bad', 'one', 'two']);
    await subscription.close();
    await subscription.close();
    await db.notify(channel, 'three');
    await db.sql`select 1`;
    expect(seen).toEqual(['bad', 'one', 'two']);
  });

  it('says how it is', async () => {
    expect(await db.health()).toMatchObject({ status: 'pass' });
    expect(await db.isConnected()).toBe(true);
    expect(db.metrics()).toMatchObject({ primary: { inUse: 0, waiting: 0 }, running: 0 });
    expect(db.capabilities.concurrentTransactions).toBe(engine === 'postgres');
  });

  it('closes once and refuses what comes after', async () => {
    const own = open();
    await own.sql`select 1`;
    await Promise.all([own.close(), own.close()]);
    expect(await rejection(own.sql`select 1`)).toBeInstanceOf(ClosedError);
    expect(await rejection(own.transaction(async () => 1))).toBeInstanceOf(ClosedError);
    expect(await rejection(own.bulkInsert('t', [{ a: 1 }]))).toBeInstanceOf(ClosedError);
    expect(await own.isConnected()).toBe(false);
    const never = open();
    await never.close();
  });
});
