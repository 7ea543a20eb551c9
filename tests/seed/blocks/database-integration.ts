import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { DatabaseIntegration } from '@safla/sdk/database';

/** The guide declares this class and shows no use of it: here each method is called with the arguments it declares. */
export async function exerciseDatabase(postgresURL: string, mongoURL: string): Promise<void> {
  const database = new DatabaseIntegration();
  for (const [call, message] of [
    [() => database.executePostgreSQLQuery('SELECT 1'), /PostgreSQL is not set up/],
    [() => database.executeMongoDBOperation('users', 'find', {}), /MongoDB is not set up/],
  ] as const) {
    try {
      await call();
      assert.fail('it ran without a database');
    } catch (error) {
      assert.match(error.message, message);
    }
  }

  await database.initializePostgreSQL(postgresURL);
  await database.initializeMongoDB(mongoURL, `guide_${randomUUID().slice(0, 8)}`);

  const table = `users_${randomUUID().slice(0, 8)}`;
  await database.executePostgreSQLQuery(`CREATE TABLE ${table} (id int primary key, name text, tags text[])`);
  const params: any[] = [7, "O'Hara", ['a', 'b']];
  const none: any[] = await database.executePostgreSQLQuery(`INSERT INTO ${table} VALUES ($1, $2, $3)`, params);
  assert.deepEqual(none, []);
  const rows = await database.executePostgreSQLQuery(`SELECT * FROM ${table} WHERE id = $1`, [7]);
  assert.deepEqual(rows, [{ id: 7, name: "O'Hara", tags: ['a', 'b'] }]);
  await database.executePostgreSQLQuery(`DROP TABLE ${table}`);

  const query: any = { name: 'Ada', age: 36 };
  const inserted: any = await database.executeMongoDBOperation('users', 'insertOne', query);
  assert.deepEqual(query, { name: 'Ada', age: 36 });
  const found: any = await database.executeMongoDBOperation('users', 'findOne', { _id: inserted.insertedId });
  assert.equal(found.name, 'Ada');
  const update: any = { filter: { name: 'Ada' }, update: { $set: { age: 37 } } };
  const updated: any = await database.executeMongoDBOperation('users', 'updateOne', update);
  assert.equal(updated.modifiedCount, 1);
  const all: any = await database.executeMongoDBOperation('users', 'find', { age: 37 });
  assert.deepEqual(all.map((user: any) => user.name), ['Ada']);
  const deleted: any = await database.executeMongoDBOperation('users', 'deleteOne', { name: 'Ada' });
  assert.equal(deleted.deletedCount, 1);
  try {
    await database.executeMongoDBOperation('users', 'drop', {});
    assert.fail('an operation that the guide does not have ran');
  } catch (error) {
    assert.match(error.message, /drop/);
  }

  await database.close();
  await database.close();
}
