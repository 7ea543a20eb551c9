import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ValidationError } from '@safla/sdk/core';
import { DatabaseError, type PostgresDatabase, sql } from '@safla/sdk/database';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newName, rejection, TestServer } from './support.js';

const require = createRequire(import.meta.url);
const all = JSON.parse(readFileSync(require.resolve('big-list-of-naughty-strings/blns.json'), 'utf8')) as string[];
const naughty = [
  ...all,
  "'; drop table t; --",
  '$1',
  '$' + '{x}',
  '\\',
  "\\'",
  '"',
  '""',
  '/*',
  '--',
  '$$',
  "E'\\x'",
  '%',
  '_',
  '\\%',
  '\ufeff',
  ':name',
  '?',
];

let server: TestServer;
let db: PostgresDatabase;

beforeAll(async () => {
  server = await TestServer.start({
    kinds: ['system', 'package'],
    config: { shared_preload_libraries: 'pg_stat_statements' },
  });
  db = server.open();
  await db.sql`create extension pg_stat_statements`;
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** How many shapes of statements about `mark` the server has seen, by its own parser. */
async function shapes(mark: string): Promise<number> {
  const { n } = await db.sql.one<{
    n: number;
  }>`select count(distinct queryid) n from pg_stat_statements where query like ${`%${mark}%`}
    and query not like '%pg_stat_statements%'`;
  return n;
}

/** What PostgreSQL cannot hold is refused before it is sent. */
const storable = (text: string): boolean => !text.includes('\0') && !/\p{Surrogate}/u.test(text);

describe('naughty strings', () => {
  it('are values and nothing else: one shape per statement', async () => {
    const name = newName();
    const t = sql.id(name);
    await db.sql`create table ${t} (id int, s text, j jsonb)`;
    for (const [id, text] of naughty.entries()) {
      if (!storable(text)) {
        expect(await rejection(db.sql`insert into ${t} (id, s) values (${id}, ${text})`)).toBeInstanceOf(
          ValidationError,
        );
        continue;
      }
      await db.sql`insert into ${t} (id, s, j) values (${id}, ${text}, ${sql.json({ [text]: text })})`;
      expect(
        await db.sql
          .one`select s, j ->> ${text} v, s like ${text.replace(/[\\%_]/g, '\\$&')} as liked, ${text} = any(${sql.array([text])}) as listed from ${t} where s = ${text} and id = ${id}`,
      ).toMatchObject({
        s: text,
        v: text,
        liked: true,
        listed: true,
      });
    }
    expect(await shapes(name)).toBe(3);
  }, 120_000);

  it('are values of rows by id, in bulk and in raw texts too', async () => {
    const name = newName();
    await db.query(`create table ${name} (id text primary key, s text, tags text[], j jsonb)`);
    const texts = [...new Set(naughty.filter(storable))];
    for (const text of texts) {
      await db.create(name, { id: text, s: text, tags: [text], j: [text] });
      expect(await db.findById(name, text)).toEqual({ id: text, s: text, tags: [text], j: [text] });
      expect(await db.update(name, text, { s: `${text}!` })).toMatchObject({ s: `${text}!` });
    }
    expect(await db.query(`select count(*) n from ${name}`)).toEqual([{ n: texts.length }]);
    for (const text of texts) expect(await db.delete(name, text)).toBe(true);
    expect(await shapes(name)).toBe(6);
    await db.bulkInsert(
      name,
      texts.map((text) => ({ id: text, s: text, tags: [text], j: { [text]: text } })),
    );
    const stored = await db.query<{ id: string; s: string; tags: string[]; j: object }>(`select * from ${name}`);
    expect(new Set(stored.map(({ id }) => id))).toEqual(new Set(texts));
    for (const row of stored) expect(row).toEqual({ id: row.id, s: row.id, tags: [row.id], j: { [row.id]: row.id } });
  }, 120_000);

  it('are names of tables and columns and nothing else', async () => {
    const schema = newName('s');
    await db.query(`create schema ${schema}`);
    let made = 0;
    for (const text of new Set(naughty)) {
      if (text === '' || !storable(text) || Buffer.byteLength(text) > 63) {
        expect(() => sql.id(text)).toThrow(ValidationError);
        expect(await rejection(Promise.resolve().then(() => db.findById(text, 1)))).toBeInstanceOf(ValidationError);
        continue;
      }
      const t = sql.id(schema, text);
      await db.sql`create table ${t} (id int, ${sql.id(`${[...text].slice(0, 12).join('')}x`)} text)`;
      expect(await db.create(t, { id: 1, [`${[...text].slice(0, 12).join('')}x`]: text })).toEqual({
        id: 1,
        [`${[...text].slice(0, 12).join('')}x`]: text,
      });
      expect(await rejection(db.findById(text, 1))).toBeInstanceOf(DatabaseError);
      made += 1;
    }
    const { n } = await db.sql.one<{ n: number }>`select count(*) n from pg_tables where schemaname = ${schema}`;
    expect(n).toBe(made);
    await db.query(`drop schema ${schema} cascade`);
  }, 120_000);

  it('come back as they were sent, whatever they are', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 }).filter(storable);
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.option(text), { maxLength: 5 }), fc.jsonValue(), async (s, list, json) => {
        const wanted = JSON.stringify(json).includes('\\u0000') ? null : json;
        const row = await db.sql.one`select ${s}::text s, ${sql.array(list, 'text')} list, ${sql.json(wanted)}::json j`;
        expect(row).toEqual({ s, list, j: JSON.parse(JSON.stringify(wanted)) });
      }),
    );
  }, 300_000);
});
