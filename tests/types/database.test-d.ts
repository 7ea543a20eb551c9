import {
  type DatabaseEngine,
  DatabaseIntegration,
  type MongoDatabase,
  PostgresDatabase,
  type PostgresTransaction,
  type SqlRow,
  type SqlRows,
  sql,
} from '@safla/sdk/database';
import type { OutboxDatabase } from '@safla/sdk/events';
import { Pool } from 'pg';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';

const db = new PostgresDatabase({ url: 'memory:' });

interface Order {
  id: number;
}

expectTypeOf(db.sql`select 1`).resolves.toEqualTypeOf<SqlRows<SqlRow>>();
expectTypeOf(db.sql<Order>`select 1`).resolves.toEqualTypeOf<SqlRows<Order>>();
expectTypeOf(db.sql.one<Order>`select 1`).resolves.toEqualTypeOf<Order>();
expectTypeOf(db.sql.maybeOne<Order>`select 1`).resolves.toEqualTypeOf<Order | undefined>();
expectTypeOf(db.sql.as(z.object({ at: z.coerce.date() })).one`select 1`).resolves.toEqualTypeOf<{ at: Date }>();
expectTypeOf(db.transaction(async (tx) => tx.sql.one<Order>`select 1`)).resolves.toEqualTypeOf<Order>();
expectTypeOf(db.stream<Order>(sql`select 1`)).toExtend<AsyncIterable<Order>>();
expectTypeOf(db.query<Order>('select $1', [1])).resolves.toEqualTypeOf<SqlRows<Order>>();
expectTypeOf(db).toExtend<DatabaseEngine>();
expectTypeOf(db).toExtend<OutboxDatabase>();
expectTypeOf<PostgresTransaction['sql']>().toEqualTypeOf<PostgresDatabase['sql']>();

// A pool of pg fits as it is.
new PostgresDatabase({ pool: new Pool() });
new DatabaseIntegration({ url: 'memory:', schema: 'a' });

// @ts-expect-error one of url and pool
new PostgresDatabase({});
// @ts-expect-error not both
new PostgresDatabase({ url: 'memory:', pool: new Pool() });
// @ts-expect-error arrays have two meanings
db.sql`select ${[1]}`;
// @ts-expect-error objects are json by sql.json
db.sql`select ${{ a: 1 }}`;
// @ts-expect-error undefined is not NULL
db.sql`select ${undefined}`;
// @ts-expect-error a promise is no fragment
db.sql`select ${db.sql`select 1`}`;

void (async (mongo: MongoDatabase) => {
  const orders = mongo.collection('orders', z.object({ total: z.number() }));
  // Every document has an id, also where the schema does not name it.
  const found = await orders.find({ _id: '665f1c2ab0e4d5a1c2b3d4e5' });
  await orders.updateOne({ _id: found[0]?._id, total: 1 }, { $set: { total: 2 } });
  // @ts-expect-error the schema has no such field
  await orders.find({ totl: 1 });
  // @ts-expect-error where the schema has an id, it is of that type
  await mongo.collection('named', z.object({ _id: z.string() })).find({ _id: 1 });
});
