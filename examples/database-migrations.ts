/**
 * Migrations: two processes that start at once, a migration that fails, and one that was changed after it ran.
 * In this process by default; on a server with DATABASE_URL.
 *
 *     npx tsx examples/database-migrations.ts
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Migration, MigrationError, PostgresDatabase, sql } from '@safla/sdk/database';

const first: Migration = { id: '001-users', up: 'create table users (id int primary key, name text)' };
const second: Migration = {
  id: '002-first-user',
  up: async (tx) => {
    await tx.sql`insert into users ${sql.values([{ id: 1, name: 'Ada' }])}`;
  },
};

const schema = `example_${randomUUID().replaceAll('-', '')}`;
await using db = new PostgresDatabase({
  url: process.env.DATABASE_URL ?? 'memory:',
  schema,
  migrations: [first, second],
});

// Both ask, each migration runs once.
const both = await Promise.all([db.migrate(), db.migrate()]);
assert.deepEqual(both.flatMap(({ applied }) => applied).sort(), ['001-users', '002-first-user']);

// The second statement fails, so the first one did not happen either.
const broken: Migration = {
  id: '003-emails',
  up: 'alter table users add column email text; select no_such_function()',
};
await assert.rejects(db.migrate([first, second, broken]), MigrationError);
assert.deepEqual(await db.sql`select * from users`, [{ id: 1, name: 'Ada' }]);

// What ran is not what the program says now.
const changed: Migration = { ...first, up: 'create table users (id int8 primary key, name text)' };
await assert.rejects(db.migrate([changed, second]), { migration: '001-users' });

await db.cleanup();
console.log('Each migration ran once, a failed one was undone, a changed one was refused.');
