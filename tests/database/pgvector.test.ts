import { DatabaseError, PostgresDatabase, sql } from '@safla/sdk/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newName, rejection, TestServer } from './support.js';

const server = await TestServer.start();
const offered = await server.open().sql`select 1 from pg_available_extensions where name = 'vector'`;
/** PGlite ships pgvector; a server is tried where it has it, and the titles say which ones were. */
const engines = offered.rowCount === 1 ? (['memory', 'server'] as const) : (['memory'] as const);

afterAll(() => server[Symbol.asyncDispose]());

describe.each(engines)('pgvector on %s', (engine) => {
  let db: PostgresDatabase;
  const table = newName();

  beforeAll(async () => {
    db = engine === 'memory' ? new PostgresDatabase({ url: 'memory:', extensions: ['vector'] }) : server.open();
    await db.sql`create extension if not exists vector`;
    await db.sql`create table ${sql.id(table)} (id int primary key, place vector(3))`;
  }, 120_000);

  afterAll(() => db.close());

  it('takes vectors as texts, one by one and in bulk, and finds the nearest by an index', async () => {
    await db.sql`insert into ${sql.id(table)} values (0, ${'[1,0,0]'})`;
    const rows = Array.from({ length: 200 }, (_, n) => ({
      id: n + 1,
      place: JSON.stringify([Math.cos(n), Math.sin(n), 1]),
    }));
    await db.bulkInsert(table, rows);
    await db.sql`create index on ${sql.id(table)} using hnsw (place vector_l2_ops)`;
    const near = await db.sql`select id, place from ${sql.id(table)} order by place <-> ${'[1,0,0]'} limit 2`;
    expect(near).toEqual([
      { id: 0, place: '[1,0,0]' },
      { id: 1, place: '[1,0,1]' },
    ]);
  });

  it('refuses vectors of another dimension without showing them', async () => {
    const error = await rejection(db.sql`insert into ${sql.id(table)} values (900, ${'[271828,2]'})`);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ kind: 'invalid-value' });
    expect(`${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`).not.toContain('271828');
    const words = await rejection(db.sql`insert into ${sql.id(table)} values (901, ${'[1,271828,x]'})`);
    expect(words).toMatchObject({ kind: 'invalid-value' });
    expect(`${String(words)} ${JSON.stringify(words)} ${(words as Error).stack}`).not.toContain('271828');
  });
});
