/**
 * SQL with values that stay values, a transaction, rows as they come, many rows at once, and an error to act on.
 * In this process by default; on a server with DATABASE_URL.
 *
 *     npx tsx examples/database.ts
 *     DATABASE_URL=postgres://user:password@localhost/shop npx tsx examples/database.ts
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { DatabaseIntegration, PostgresDatabase, sql, UniqueViolationError } from '@safla/sdk/database';
import { z } from 'zod';

const url = process.env.DATABASE_URL ?? 'memory:';
/** A schema of its own, so that a database with other tables in it is left as it was. */
const schema = `example_${randomUUID().replaceAll('-', '')}`;

const migrations = [
  {
    id: '001-shop',
    up: `create table items (sku text primary key, stock int not null check (stock >= 0));
         create table orders (id int generated always as identity primary key, sku text not null references items, tags text[], details jsonb)`,
  },
];

const Item = z.object({ sku: z.string(), stock: z.number().int() });

async function statements(): Promise<void> {
  await using db = new PostgresDatabase({ url, schema, migrations });
  await db.migrate();

  const skus = ["lamp'; drop table items; --", 'chair', 'desk'];
  await db.bulkInsert(
    'items',
    skus.map((sku, index) => ({ sku, stock: index + 1 })),
  );
  const items = await db.sql.as(Item)`select * from items where sku in (${sql.list(skus)}) order by stock`;
  assert.deepEqual(
    items.map(({ sku }) => sku),
    skus,
  );

  const buy = (sku: string) =>
    db.transaction(async (tx) => {
      await tx.sql`update items set stock = stock - 1 where sku = ${sku}`;
      return await tx.sql.one<{ id: number }>`insert into orders (sku, tags, details)
        values (${sku}, ${sql.array(['web', 'new'])}, ${sql.json({ gift: true })}) returning id`;
    });
  assert.deepEqual(await buy(skus[0] ?? ''), { id: 1 });

  // The check refuses a stock below zero, and the order goes with it.
  await assert.rejects(buy(skus[0] ?? ''), { kind: 'check', table: 'items' });
  assert.deepEqual(await db.sql.one`select count(*) n from orders`, { n: 1 });

  const again = await db.sql`insert into items values (${'desk'}, 1)`.catch((error: unknown) => error);
  assert(again instanceof UniqueViolationError);
  assert.equal(again.constraint, 'items_pkey');

  let sum = 0;
  for await (const { n } of db.stream<{ n: number }>(sql`select generate_series(1, ${1_000}::int) n`)) sum += n;
  assert.equal(sum, 500_500);

  const { rows, truncated } = await db.read('select * from items order by sku', [], { maxRows: 2 });
  assert.equal(rows.length, 2);
  assert.equal(truncated, 'rows');
  await db.cleanup();
}

async function rowsById(): Promise<void> {
  const notes = {
    id: '001-notes',
    up: 'create table notes (id int generated always as identity primary key, text text, tags jsonb)',
  };
  await using db = new DatabaseIntegration({ url, schema: `${schema}_b`, migrations: [notes] });
  await db.migrate();
  const made = await db.create('notes', { text: 'hello', tags: ['a', 'b'] });
  assert.deepEqual(made, { id: 1, text: 'hello', tags: ['a', 'b'] });
  assert.deepEqual(await db.update('notes', 1, { text: 'bye' }), { ...made, text: 'bye' });
  assert.equal(await db.delete('notes', 1), true);
  assert.equal(await db.findById('notes', 1), null);
  await db.cleanup();
}

await statements();
await rowsById();
console.log(`Statements, transactions, streams and rows by id work on ${url === 'memory:' ? 'PGlite' : 'the server'}.`);
