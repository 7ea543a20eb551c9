import { ClosedError, TimeoutError, ValidationError, withContext } from '@safla/sdk/core';
import {
  type Condition,
  DatabaseError,
  DatabaseIntegration,
  MigrationError,
  type MongoDatabase,
  push,
  UniqueViolationError,
  where,
} from '@safla/sdk/database';
import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MongoSubject, mongoLabel, newDatabaseName } from './mongo-support.js';
import { eventually, newName, rejection } from './support.js';

let subject: MongoSubject;
let db: MongoDatabase;

beforeAll(async () => {
  subject = await MongoSubject.start();
  db = subject.open();
});

afterAll(async () => {
  await subject[Symbol.asyncDispose]();
});

interface User {
  readonly name: string;
  readonly age: number;
  readonly tags?: readonly string[];
  readonly address?: { readonly city: string };
}

const people: readonly User[] = [
  { name: 'Ada', age: 36, tags: ['math', 'code'], address: { city: 'London' } },
  { name: 'Bob', age: 20, tags: [] },
  { name: 'Cy', age: 50, tags: ['code'], address: { city: 'Paris' } },
];

async function filled() {
  const users = db.collection<User>(newName());
  await users.insertMany(people);
  return users;
}

describe(`collections on ${mongoLabel}`, () => {
  it('find by values and conditions, sorted, limited and projected', async () => {
    const users = await filled();
    const names = async (filter: Parameters<typeof users.find>[0]): Promise<string[]> =>
      (await users.find(filter, { sort: { name: 1 } })).map(({ name }) => name);
    expect(await names({})).toEqual(['Ada', 'Bob', 'Cy']);
    expect(await names({ age: 20 })).toEqual(['Bob']);
    expect(await names({ tags: 'code' })).toEqual(['Ada', 'Cy']);
    expect(await names({ 'address.city': 'Paris' })).toEqual(['Cy']);
    expect(await names({ name: /^a/i })).toEqual(['Ada']);
    expect(await names({ age: where.gt(30) })).toEqual(['Ada', 'Cy']);
    expect(await names({ age: where.all(where.gte(20), where.lt(50)) })).toEqual(['Ada', 'Bob']);
    expect(await names({ age: where.not(where.gt(30)) })).toEqual(['Bob']);
    expect(await names({ name: where.in(['Ada', 'Bob', 'X']) })).toEqual(['Ada', 'Bob']);
    expect(await names({ name: where.notIn(['Ada']) })).toEqual(['Bob', 'Cy']);
    expect(await names({ name: where.ne('Bob') })).toEqual(['Ada', 'Cy']);
    expect(await names({ address: where.exists(false) })).toEqual(['Bob']);
    expect(await names({ tags: where.hasSize(1) })).toEqual(['Cy']);
    expect(await names({ tags: where.hasAll(['math', 'code']) })).toEqual(['Ada']);
    expect(await names({ name: where.matches(/y$/) })).toEqual(['Cy']);
    expect(await names(where.or({ age: 20 }, { name: 'Ada' }))).toEqual(['Ada', 'Bob']);
    expect(await names(where.and({ tags: 'code' }, where.nor({ age: 50 })))).toEqual(['Ada']);
    expect(await names(where.trusted({ $or: [{ age: { $lt: 21 } }, { age: { $gt: 49 } }] }))).toEqual(['Bob', 'Cy']);
    const [one] = await users.find({}, { sort: [['age', -1]], skip: 1, limit: 1, projection: ['name'] });
    expect(one).toEqual({ _id: expect.any(ObjectId), name: 'Ada' });
    expect(Object.keys((await users.findOne({ name: 'Cy' }, { projection: { tags: false } })) ?? {})).not.toContain(
      'tags',
    );
    expect(await users.findOne({ name: 'Nobody' })).toBeNull();
    expect(await users.count({ age: where.lte(36) })).toBe(2);
    expect((await users.distinct('tags', {})).sort()).toEqual(['code', 'math']);
    expect(await users.distinct('address.city', { name: 'Ada' })).toEqual(['London']);
  });

  it('give many documents in a bounded array, or one by one', async () => {
    const small = subject.open({ maxDocuments: 100 });
    const numbers = small.collection<{ n: number }>(newName());
    await numbers.insertMany(Array.from({ length: 101 }, (_, n) => ({ n })));
    expect(await rejection(numbers.find({}))).toMatchObject({ kind: 'resources' });
    expect(await numbers.find({}, { limit: 101 })).toHaveLength(101);
    expect(await numbers.find({ n: where.lt(100) })).toHaveLength(100);
    let sum = 0;
    for await (const { n } of numbers.stream({}, { batchSize: 10, sort: { n: 1 } })) {
      sum += n;
      if (n === 50) break;
    }
    expect(sum).toBe(1275);
    sum = 0;
    for await (const { n } of numbers.stream({}, { batchSize: 7 })) sum += n;
    expect(sum).toBe(5050);
    expect(small.metrics().running).toBe(0);
  });

  it('change documents by operators, and the caller keeps its objects as they were', async () => {
    const users = await filled();
    const given = Object.freeze({ name: 'Dee', age: 1, tags: [] });
    const { insertedId } = await users.insertOne(given);
    expect(given).toEqual({ name: 'Dee', age: 1, tags: [] });
    expect(insertedId).toBeInstanceOf(ObjectId);
    expect(await users.updateOne({ name: 'Dee' }, { $set: { 'address.city': 'Rome' }, $inc: { age: 2 } })).toEqual({
      acknowledged: true,
      matchedCount: 1,
      modifiedCount: 1,
      upsertedId: null,
    });
    expect(await users.findOne({ name: 'Dee' })).toEqual({
      _id: insertedId,
      name: 'Dee',
      age: 3,
      tags: [],
      address: { city: 'Rome' },
    });
    const tags = { $push: { tags: push(['a', 'b', 'c'], { slice: -2 }) } };
    expect(await users.findOneAndUpdate({ name: 'Dee' }, tags)).toMatchObject({ tags: ['b', 'c'] });
    expect(
      await users.findOneAndUpdate({ name: 'Dee' }, { $pull: { tags: where.in(['b']) } }, { give: 'before' }),
    ).toMatchObject({ tags: ['b', 'c'] });
    expect(await users.updateMany({}, { $unset: { tags: true } })).toMatchObject({ matchedCount: 4, modifiedCount: 4 });
    const made = await users.updateOne(
      { name: 'Eve' },
      { $set: { age: 9 }, $setOnInsert: { tags: ['new'] } },
      { upsert: true },
    );
    expect(made).toMatchObject({ matchedCount: 0, upsertedId: expect.any(ObjectId) });
    expect(await users.findOne({ name: 'Eve' })).toMatchObject({ age: 9, tags: ['new'] });
    expect(await users.replaceOne({ name: 'Eve' }, { name: 'Eve', age: 10 })).toMatchObject({ modifiedCount: 1 });
    expect(await users.findOne({ name: 'Eve' })).toEqual({ _id: made.upsertedId, name: 'Eve', age: 10 });
    expect(await users.deleteOne({ name: 'Eve' })).toEqual({ acknowledged: true, deletedCount: 1 });
    expect(await users.deleteMany({ age: where.gt(1) })).toEqual({ acknowledged: true, deletedCount: 4 });
    expect(await users.drop()).toBe(true);
  });

  it('keep the types of values', async () => {
    const things = db.collection(newName());
    const thing = {
      _id: 'x',
      big: 2n ** 60n + 1n,
      small: 5n,
      half: 0.5,
      date: new Date('2026-11-22T00:00:00Z'),
      bytes: Buffer.from([0, 255]),
      deep: { list: [[1, null], [{ a: true }]] },
      id: new ObjectId(),
      nothing: null,
    };
    await things.insertOne(thing);
    expect(await things.findOne({ _id: 'x' })).toEqual({ ...thing, small: 5 });
    expect(await things.findOne({ big: 2n ** 60n + 1n })).not.toBeNull();
    expect(await things.findOne({ big: 2n ** 60n + 3n })).toBeNull();
  });

  it('match texts with object ids where they are declared', async () => {
    const orders = db.collection<{ _id?: string; customer: string; items: { product: string }[] }>(newName(), {
      objectIds: ['_id', 'customer', 'items.product'],
    });
    const customer = new ObjectId().toHexString();
    const product = new ObjectId().toHexString();
    const { insertedId } = await orders.insertOne({ customer, items: [{ product }] });
    expect(insertedId).toMatch(/^[0-9a-f]{24}$/);
    const wanted = { _id: insertedId, customer, items: [{ product }] };
    expect(await orders.findOne({ _id: insertedId as string })).toEqual(wanted);
    expect(await orders.findOne({ customer: where.in([customer]) })).toEqual(wanted);
    expect(await orders.findOne({ 'items.0.product': product })).toEqual(wanted);
    expect(await orders.findOne({ items: where.element({ product }) })).toEqual(wanted);
    expect(await orders.distinct('customer', {})).toEqual([customer]);
    const raw = await db.collection(orders.name).findOne({});
    expect(raw?._id).toBeInstanceOf(ObjectId);
    expect(raw).toMatchObject({ items: [{ product: expect.any(ObjectId) }] });
    expect(await rejection(orders.findOne({ customer: 'nobody' }))).toBeInstanceOf(ValidationError);
  });

  it('check documents by a schema, before they go and when they come', async () => {
    const schema = z.object({ name: z.string(), age: z.number().default(0) });
    const users = db.collection(newName(), schema);
    await users.insertOne({ name: 'Ada', age: 1 });
    expect(await rejection(users.insertOne({ name: 5 } as never))).toBeInstanceOf(ValidationError);
    expect(await rejection(users.insertMany([{ name: 'ok', age: 2 }, { name: 5 } as never]))).toBeInstanceOf(
      ValidationError,
    );
    expect(await users.find({})).toEqual([{ _id: expect.any(ObjectId), name: 'Ada', age: 1 }]);
    await db.collection(users.name).insertOne({ name: 1 });
    expect(await rejection(users.find({}))).toBeInstanceOf(ValidationError);
  });

  it('aggregate, and write in bulk', async () => {
    const users = await filled();
    const rows = await users
      .aggregate<{ _id: string; n: number }>([
        { $match: { age: where.gt(1) } },
        { $unwind: '$tags' },
        { $group: { _id: '$tags', n: { $sum: 1 } } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    expect(rows).toEqual([
      { _id: 'code', n: 2 },
      { _id: 'math', n: 1 },
    ]);
    expect(
      await users.bulkWrite([
        { insertOne: { name: 'Dee', age: 1 } },
        { updateMany: { filter: { age: where.gt(30) }, update: { $inc: { age: 1 } } } },
        { updateOne: { filter: { name: 'Fay' }, update: { $set: { age: 3 } }, upsert: true } },
        { replaceOne: { filter: { name: 'Bob' }, replacement: { name: 'Rob', age: 2 } } },
        { deleteOne: { name: 'Cy' } },
      ]),
    ).toEqual({ insertedCount: 1, matchedCount: 3, modifiedCount: 3, deletedCount: 1, upsertedCount: 1 });
    expect((await users.find({}, { sort: { name: 1 } })).map(({ name }) => name)).toEqual(['Ada', 'Dee', 'Fay', 'Rob']);
  });

  it('say that a key is taken by the error that SQL has for it, without its value', async () => {
    const users = db.collection<{ _id?: string; email?: string }>(newName());
    await users.createIndex({ email: 1 }, { unique: true, sparse: true });
    await users.insertOne({ _id: 'a', email: 'secret@example.com' });
    const failures = [
      () => users.insertOne({ email: 'secret@example.com' }),
      () => users.insertOne({ _id: 'a' }),
      () => users.insertMany([{ email: 'x' }, { email: 'secret@example.com' }]),
      () => users.updateOne({ email: 'x2' }, { $set: { email: 'secret@example.com' } }, { upsert: true }),
      () => users.bulkWrite([{ insertOne: { email: 'secret@example.com' } }]),
    ];
    for (const fail of failures) {
      const error = await rejection(fail());
      expect(error).toBeInstanceOf(UniqueViolationError);
      expect(error).toMatchObject({ kind: 'unique', serverCode: 11_000, table: users.name, retryable: false });
      const { stack, message, cause } = error as Error;
      expect(`${JSON.stringify(error)} ${stack} ${message} ${(cause as Error).stack}`).not.toContain('secret@example');
    }
    expect(await rejection(users.insertOne({ email: 'secret@example.com' }))).toMatchObject({ constraint: 'email_1' });
  });
});

describe(`transactions on ${mongoLabel}`, () => {
  it('commit all or nothing', async () => {
    const name = newName();
    const accounts = db.collection<{ _id: string; balance: number }>(name);
    await accounts.insertMany([
      { _id: 'a', balance: 10 },
      { _id: 'b', balance: 0 },
    ]);
    await db.transaction(async (tx) => {
      const inside = tx.collection<{ _id: string; balance: number }>(name);
      await Promise.all([
        inside.updateOne({ _id: 'a' }, { $inc: { balance: -4 } }),
        inside.updateOne({ _id: 'b' }, { $inc: { balance: 4 } }),
      ]);
      expect(await inside.findOne({ _id: 'b' })).toMatchObject({ balance: 4 });
      expect(await accounts.findOne({ _id: 'b' })).toMatchObject({ balance: 0 });
    });
    const failure = new Error('not today');
    const attempt = db.transaction(async (tx) => {
      await tx.collection<{ _id: string; balance: number }>(name).updateOne({ _id: 'a' }, { $inc: { balance: -100 } });
      throw failure;
    });
    expect(await rejection(attempt)).toBe(failure);
    expect(await accounts.find({}, { sort: { _id: 1 } })).toEqual([
      { _id: 'a', balance: 6 },
      { _id: 'b', balance: 4 },
    ]);
  });

  it('run again after conflicts, so that 20 concurrent additions all count', async () => {
    const name = newName();
    const counters = db.collection<{ _id: string; n: number }>(name);
    await counters.insertOne({ _id: 'c', n: 0 });
    const add = () =>
      db.transaction(
        async (tx) => {
          const inside = tx.collection<{ _id: string; n: number }>(name);
          const { n } = (await inside.findOne({ _id: 'c' })) ?? { n: Number.NaN };
          await inside.updateOne({ _id: 'c' }, { $set: { n: n + 1 } });
        },
        { retries: 200 },
      );
    await Promise.all(Array.from({ length: 20 }, add));
    expect(await counters.findOne({ _id: 'c' })).toEqual({ _id: 'c', n: 20 });
    expect(db.metrics().retries).toBeGreaterThan(0);
  });

  it('do not commit when a failure inside was swallowed, nor after their time', async () => {
    const name = newName();
    const things = db.collection<{ _id: number }>(name);
    await things.insertOne({ _id: 1 });
    const swallowed = db.transaction(async (tx) => {
      await tx.collection<{ _id: number }>(name).insertOne({ _id: 2 });
      await tx
        .collection<{ _id: number }>(name)
        .insertOne({ _id: 1 })
        .catch(() => undefined);
    });
    expect(await rejection(swallowed)).toBeInstanceOf(UniqueViolationError);
    const late = db.transaction(
      async (tx) => {
        await tx.collection<{ _id: number }>(name).insertOne({ _id: 3 });
        await new Promise(() => undefined);
      },
      { timeoutMs: 300 },
    );
    expect(await rejection(late)).toBeInstanceOf(TimeoutError);
    expect(await things.find({})).toEqual([{ _id: 1 }]);
  });
});

describe(`change streams on ${mongoLabel}`, () => {
  it('tell changes in order, and go on from a position', async () => {
    const users = db.collection<{ _id: number; name: string }>(newName());
    await users.insertOne({ _id: 0, name: 'before' });
    await using changes = users.watch();
    await changes.ready();
    await users.insertOne({ _id: 1, name: 'a' });
    await users.updateOne({ _id: 1 }, { $set: { name: 'b' } });
    await users.deleteOne({ _id: 1 });
    const seen = [];
    for await (const change of changes) {
      seen.push(change);
      if (seen.length === 3) break;
    }
    expect(seen.map(({ operation, id }) => [operation, id])).toEqual([
      ['insert', 1],
      ['update', 1],
      ['delete', 1],
    ]);
    expect(seen[0]?.document).toEqual({ _id: 1, name: 'a' });
    expect(seen[1]?.changes).toEqual({ set: { name: 'b' }, removed: [] });
    const position = seen[0]?.position;
    for await (const change of users.watch(position ? { after: position } : {})) {
      expect(change.operation).toBe('update');
      break;
    }
  });

  it('end with their signal and with the database', async () => {
    const own = subject.open();
    const users = own.collection(newName());
    const abort = new AbortController();
    const reading = rejection(
      (async () => {
        for await (const _ of users.watch({ signal: abort.signal }));
      })(),
    );
    await eventually(() => own.metrics().running > 0);
    const reason = new Error('enough');
    abort.abort(reason);
    expect(await reading).toBe(reason);
    const second = rejection(
      (async () => {
        for await (const _ of users.watch());
        throw new ClosedError('the loop ended');
      })(),
    );
    await eventually(() => own.metrics().running > 0);
    await own.close({ timeoutMs: 0 });
    expect(await second).toBeInstanceOf(ClosedError);
  });
});

describe(`migrations on ${mongoLabel}`, () => {
  it('run once, in order, under a lock, with checksums', async () => {
    const database = newDatabaseName();
    const url = subject.url(database);
    let runs = 0;
    const list = [
      { id: '1', up: [{ createIndexes: 'users', indexes: [{ key: { email: 1 }, name: 'email', unique: true }] }] },
      {
        id: '2',
        up: async (tools: { collection(name: string): { insertOne(document: object): Promise<unknown> } }) => {
          runs += 1;
          await tools.collection('users').insertOne({ email: 'a@example.com' });
        },
      },
    ];
    const several = Array.from({ length: 4 }, () => subject.open({ url, migrations: list }));
    const results = await Promise.all(several.map((each) => each.migrate()));
    expect(results.flatMap(({ applied }) => applied).sort()).toEqual(['1', '2']);
    expect(runs).toBe(1);
    const [one] = several as [MongoDatabase];
    expect(await one.migrate()).toEqual({ applied: [] });
    expect(await rejection(one.collection('users').insertOne({ email: 'a@example.com' }))).toBeInstanceOf(
      UniqueViolationError,
    );
    const changed = [{ id: '1', up: [{ create: 'users' }] }];
    expect(await rejection(one.migrate(changed))).toBeInstanceOf(MigrationError);
    expect(await rejection(one.migrate([{ id: '0', up: [{ create: 'x' }] }, ...list]))).toMatchObject({
      migration: '0',
    });
    const failing = [...list, { id: '3', up: () => Promise.reject(new Error('broken')) }];
    expect(await rejection(one.migrate(failing))).toMatchObject({ migration: '3', kind: 'migration' });
    expect(await one.migrate([...list, { id: '3', up: () => undefined }])).toEqual({ applied: ['3'] });
  });
});

describe(`one door on ${mongoLabel}`, () => {
  it('has the same rows by id as SQL', async () => {
    const schema = newDatabaseName();
    await using one = new DatabaseIntegration({
      url: subject.url('elsewhere'),
      schema,
      migrations: [{ id: '1', up: [{ create: 'test_table' }] }],
    });
    await one.migrate();
    await one.migrate();
    expect(await one.isConnected()).toBe(true);
    const row = await one.create('test_table', { name: 'a', meta: { deep: [1] } });
    expect(row).toEqual({ id: expect.stringMatching(/^[0-9a-f]{24}$/), name: 'a', meta: { deep: [1] } });
    const id = row.id as string;
    expect(await one.findById('test_table', id)).toEqual(row);
    expect(await one.update('test_table', id, { name: 'b' })).toEqual({ ...row, name: 'b' });
    expect(await rejection(one.update('test_table', 'nobody', { name: 'b' }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rejection(one.create('test_table', { id, name: 'c' }))).toBeInstanceOf(UniqueViolationError);
    expect(await one.delete('test_table', id)).toBe(true);
    expect(await one.delete('test_table', id)).toBe(false);
    expect(await one.findById('test_table', id)).toBeNull();
    expect(await one.create('test_table', { id: 7, name: 'n' })).toEqual({ id: 7, name: 'n' });
    expect(await rejection(one.update('test_table', 7, { 'name.first': 'x' }))).toBeInstanceOf(ValidationError);
    expect(await rejection(one.findById('test_table', { $ne: null } as never))).toBeInstanceOf(ValidationError);
    await one.cleanup();
    expect(await one.findById('test_table', 7)).toBeNull();
  });

  it("does the guide's five operations", async () => {
    await using one = new DatabaseIntegration();
    await one.initializeMongoDB(subject.url('elsewhere'), newDatabaseName());
    const run = (operation: string, query: unknown) => one.executeMongoDBOperation('users', operation, query);
    const ada = { name: 'Ada', pw: 'hash' };
    expect(await run('insertOne', ada)).toMatchObject({ acknowledged: true, insertedId: expect.any(ObjectId) });
    expect(ada).toEqual({ name: 'Ada', pw: 'hash' });
    expect(await run('findOne', { name: 'Ada', pw: 'hash' })).toMatchObject(ada);
    expect(await run('updateOne', { filter: { name: 'Ada' }, update: { $set: { age: 36 } } })).toMatchObject({
      modifiedCount: 1,
    });
    expect(await run('find', {})).toEqual([{ _id: expect.any(ObjectId), ...ada, age: 36 }]);
    for (const pw of [{ $ne: null }, { $gt: '' }, undefined]) {
      expect(await rejection(run('findOne', { name: 'Ada', pw }))).toBeInstanceOf(ValidationError);
    }
    expect(await rejection(run('deleteOne', undefined))).toBeInstanceOf(ValidationError);
    expect(await rejection(run('updateOne', undefined))).toBeInstanceOf(ValidationError);
    expect(await rejection(run('dropDatabase', {}))).toBeInstanceOf(ValidationError);
    expect(await run('deleteOne', { name: 'Ada' })).toMatchObject({ deletedCount: 1 });
    await one.close();
    expect(await rejection(run('find', {}))).toBeInstanceOf(ClosedError);
  });
});

describe(`calls on ${mongoLabel}`, () => {
  it('end with the context around them, and leave the database usable', async () => {
    const own = subject.open();
    await own.command({ ping: 1 });
    const reason = new Error('the tool call was cancelled');
    const abort = new AbortController();
    abort.abort(reason);
    expect(await rejection(own.collection('x').find({}, { signal: abort.signal }))).toBe(reason);
    expect(await rejection(withContext({ signal: abort.signal }, () => own.collection('x').insertOne({ a: 1 })))).toBe(
      reason,
    );
    expect(await own.health()).toMatchObject({ status: 'pass', details: { engine: 'mongodb' } });
    expect((await own.capabilities()).deployment).toMatch(/replica-set|sharded|standalone/);
    await own.close();
    await own.close();
    expect(await rejection(own.collection('x').find({}))).toBeInstanceOf(ClosedError);
    expect(await own.isConnected()).toBe(false);
  });

  it('say what the server cannot do', async () => {
    expect(await rejection(db.command({ noSuchCommand: 1 }))).toMatchObject({ code: 'UNSUPPORTED' });
    expect(await rejection(db.collection('x').find(where.trusted({ $bogus: 1 })))).toBeInstanceOf(DatabaseError);
  });

  it('have filters of their type', () => {
    const users = db.collection<User>('users');
    const typed = (filter: Parameters<typeof users.find>[0]): unknown => filter;
    typed({ age: where.gt(3), name: /x/, tags: 'a', 'address.city': 'x' });
    // @ts-expect-error a text is no age
    typed({ age: 'old' });
    // @ts-expect-error nor is a condition on texts one on numbers
    typed({ age: where.gt('old') });
    // @ts-expect-error no such field
    typed({ agee: 3 });
    // @ts-expect-error operators are made by where
    typed({ age: { $gt: 3 } });
    const condition: Condition<number> = where.gt(1);
    expect(condition).toBeDefined();
  });
});
