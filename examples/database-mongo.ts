/**
 * Documents in MongoDB: typed filters, input that can never become an operator, a transaction. Uses the server
 * that MONGODB_URL names, else the `mongod` on PATH; without either it says so and shows what needs no server.
 */
import assert from 'node:assert/strict';
import { ValidationError } from '@safla/sdk/core';
import { MongoDatabase, UniqueViolationError, where } from '@safla/sdk/database';
import { ServiceUnavailableError, TestContainer } from '@safla/sdk/testing';
import { z } from 'zod';

const Account = z.object({ _id: z.string(), owner: z.string(), balance: z.number() });

/** What a login form might send. Nothing of it reaches a server. */
async function refuseOperators(): Promise<void> {
  await using db = new MongoDatabase({ url: 'mongodb://127.0.0.1:1/shop', connectTimeoutMs: 100 });
  const body: unknown = JSON.parse('{"user":"admin","password":{"$ne":null}}');
  await assert.rejects(db.operate('users', 'findOne', body), (error) => {
    console.log(`Refused: ${(error as Error).message}`);
    return true;
  });
  assert.throws(() => db.collection('system.users'), ValidationError);
}

async function moveMoney(db: MongoDatabase): Promise<void> {
  const accounts = db.collection('accounts', Account);
  await accounts.insertMany([
    { _id: 'a', owner: 'Ada', balance: 100 },
    { _id: 'b', owner: 'Bob', balance: 0 },
  ]);
  await assert.rejects(accounts.insertOne({ _id: 'a', owner: 'Eve', balance: 9 }), UniqueViolationError);
  await db.transaction(async (tx) => {
    const inside = tx.collection('accounts', Account);
    await inside.updateOne({ _id: 'a' }, { $inc: { balance: -30 } });
    await inside.updateOne({ _id: 'b' }, { $inc: { balance: 30 } });
  });
  const rich = await accounts.find({ balance: where.gte(30) }, { sort: { balance: -1 } });
  for (const { owner, balance } of rich) console.log(`${owner}: ${balance}`);
  assert.deepEqual(
    rich.map(({ balance }) => balance),
    [70, 30],
  );
}

async function connectedTo(): Promise<TestContainer | undefined> {
  try {
    return await TestContainer.start({ mongodb: { kinds: ['environment', 'system'] } });
  } catch (error) {
    if (!(error instanceof ServiceUnavailableError)) throw error;
    console.log(`Not shown, for want of a server: collections and transactions.\n${error.message}`);
    return undefined;
  }
}

await refuseOperators();
await using services = await connectedTo();
if (services) {
  console.log(services.report().join('\n'));
  await using namespace = await services.mongodb.namespace();
  await using db = new MongoDatabase({ url: namespace.url });
  await moveMoney(db);
}
