import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ConfigurationError, ValidationError } from '@safla/sdk/core';
import { MongoDatabase, push, where } from '@safla/sdk/database';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MongoEmulator } from '../support/mongo-emulator/mongo-emulator.js';
import { newName, rejection } from './support.js';

const require = createRequire(import.meta.url);
const listed = JSON.parse(readFileSync(require.resolve('big-list-of-naughty-strings/blns.json'), 'utf8')) as string[];
const naughty = [
  ...new Set([
    ...listed,
    '$ne',
    '$where',
    'a.b',
    '.',
    '..',
    '$',
    '_bsontype',
    'system.x',
    '\0',
    'a\0b',
    '\ud800',
    'toString',
  ]),
];

let emulator: MongoEmulator;
let db: MongoDatabase;

beforeAll(async () => {
  emulator = await MongoEmulator.start();
  db = new MongoDatabase({ url: emulator.url('guards') });
  await db.command({ ping: 1 });
});

afterAll(async () => {
  await db.close();
  await emulator[Symbol.asyncDispose]();
});

/** The commands a call sent, by their names. */
async function sentBy(work: () => Promise<unknown>): Promise<readonly Record<string, unknown>[]> {
  const before = emulator.received.length;
  await work();
  return emulator.received.slice(before).filter((command) => !('endSessions' in command));
}

/** Names that begin with $ anywhere in what was sent as a filter or a document. */
function operatorsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name.startsWith('$') ? [name] : []),
    ...operatorsIn(inner),
  ]);
}

const storable = (text: string): boolean => !/\p{Surrogate}/u.test(text);

describe('objects from outside (emulator)', () => {
  const operators: readonly unknown[] = [
    { $ne: null },
    { $gt: '' },
    { $regex: '.*' },
    { $in: ['a'] },
    { $where: 'true' },
    { $exists: true },
    { deep: { $ne: 1 } },
    [{ $ne: 1 }],
    JSON.parse('{"_bsontype":"ObjectId","id":"aaaaaaaaaaaa"}'),
    JSON.parse('{"__proto__":{"$ne":1}}'),
    undefined,
    () => true,
    Symbol('x'),
    new Map([['$ne', 1]]),
    new Set([1]),
    new Date(Number.NaN),
    2n ** 63n,
  ];

  it('are no operators, wherever they are put, and nothing is sent', async () => {
    const users = db.collection(newName());
    for (const value of operators) {
      const attempts: (() => Promise<unknown>)[] = [
        () => users.find({ password: value }),
        () => users.findOne({ password: value }),
        () => users.findOne(where.or({ a: 1 }, { password: value })),
        () => users.findOne({ password: where.ne(value) }),
        () => users.findOne({ password: where.in([value]) }),
        () => users.findOne({ list: where.element({ password: value }) }),
        () => users.count({ password: value }),
        () => users.distinct('a', { password: value }),
        () => users.deleteOne({ password: value }),
        () => users.deleteMany({ password: value }),
        () => users.insertOne({ password: value }),
        () => users.insertMany([{ ok: 1 }, { password: value }]),
        () => users.replaceOne({}, { password: value }),
        () => users.updateOne({ password: value }, { $set: { a: 1 } }),
        () => users.updateOne({}, { $set: { password: value } }),
        () => users.updateOne({}, { $push: { list: value } }),
        () => users.updateOne({}, { $push: { list: push([value]) } }),
        () => users.updateOne({}, { $pull: { list: value } }),
        () => users.findOneAndUpdate({ password: value }, { $set: { a: 1 } }),
        () => users.bulkWrite([{ deleteOne: { a: 1 } }, { deleteOne: { password: value } }]),
        () => users.bulkWrite([{ deleteOne: { a: 1 } }, { insertOne: { password: value } }]),
        () => users.aggregate([{ $match: { password: value } }]).toArray(),
        () => users.aggregate([{ $facet: { x: [{ $match: { password: value } }] } }]).toArray(),
        () => db.create(users.name, { password: value }),
        () => db.update(users.name, 'x', { password: value }),
        () => db.operate(users.name, 'findOne', { password: value }),
        () => db.operate(users.name, 'deleteOne', { password: value }),
        () => db.operate(users.name, 'updateOne', { filter: { password: value }, update: { $set: { a: 1 } } }),
      ];
      for (const attempt of attempts) {
        expect(await sentBy(async () => expect(await rejection(attempt())).toBeInstanceOf(ValidationError))).toEqual(
          [],
        );
      }
    }
  });

  it('are no filters: without one nothing is found, changed or deleted', async () => {
    const users = db.collection(newName());
    await users.insertOne({ a: 1 });
    for (const filter of [
      undefined,
      null,
      'x',
      1,
      [],
      [{}],
      new Map(),
      { $where: 'true' },
      { $or: [{}] },
      where.gt(1),
      new Date(),
    ]) {
      const bad = filter as never;
      for (const attempt of [
        () => users.deleteOne(bad),
        () => users.deleteMany(bad),
        () => users.find(bad),
        () => users.updateMany(bad, { $set: { b: 1 } }),
      ]) {
        expect(await rejection(attempt())).toBeInstanceOf(ValidationError);
      }
    }
    expect(await rejection(users.find(where.trusted({ $where: 'true' })))).toBeInstanceOf(ValidationError);
    expect(
      await rejection(
        users.aggregate([{ $project: { x: { $function: { body: 'x', args: [], lang: 'js' } } } }]).toArray(),
      ),
    ).toBeInstanceOf(ValidationError);
    expect(await users.count({})).toBe(1);
  });

  it('are no updates', async () => {
    const users = db.collection(newName());
    for (const update of [
      undefined,
      {},
      { a: 1 },
      { $set: {} },
      { $st: { a: 1 } },
      [{ $set: { a: 1 } }],
      { $set: { $a: 1 } },
      { $currentDate: { a: 'x' } },
      { $set: { a: where.gt(1) } },
    ]) {
      expect(await rejection(users.updateOne({}, update as never))).toBeInstanceOf(ValidationError);
    }
    expect(await rejection(users.updateOne({}, { $st: { a: 1 } } as never))).toMatchObject({
      message: expect.stringContaining("did you mean '$set'"),
    });
  });

  it('with cycles, of great depth or size are refused before anything is sent', async () => {
    const users = db.collection(newName());
    const cycle: Record<string, unknown> = { a: [] };
    (cycle.a as unknown[]).push(cycle);
    let deep: unknown = 1;
    for (let level = 0; level < 5_000; level++) deep = { deep };
    const huge = { text: 'x'.repeat(17 * 1024 * 1024) };
    for (const document of [cycle, { deep }, huge]) {
      expect(
        await sentBy(async () => expect(await rejection(users.insertOne(document))).toBeInstanceOf(ValidationError)),
      ).toEqual([]);
      expect(
        await sentBy(async () =>
          expect(await rejection(users.insertMany([{ ok: 1 }, document]))).toBeInstanceOf(ValidationError),
        ),
      ).toEqual([]);
    }
    // Longer in bytes than in letters: the server has the last word.
    expect(await rejection(users.insertOne({ text: 'ü'.repeat(9 * 1024 * 1024) }))).toMatchObject({
      code: expect.stringMatching(/VALIDATION|DATABASE/),
    });
    expect(await users.count({})).toBe(0);
    const same = { x: 1 };
    await users.insertOne({ twice: [same, same] });
  });
});

describe('naughty strings (emulator)', () => {
  it('are values and nothing else', async () => {
    const texts = db.collection<{ _id: number; text: string }>(newName());
    let accepted = 0;
    for (const [index, text] of naughty.entries()) {
      const write = () => texts.insertOne({ _id: index, text });
      if (!storable(text)) {
        expect(await rejection(write())).toBeInstanceOf(ValidationError);
        continue;
      }
      const sent = await sentBy(async () => {
        await write();
        expect(await texts.find({ text })).toEqual([{ _id: index, text }]);
        expect(await texts.findOne({ text: where.in([text]), _id: index })).toEqual({ _id: index, text });
        await texts.updateOne({ text }, { $set: { text } });
      });
      expect(sent.map((command) => Object.keys(command)[0])).toEqual(['insert', 'find', 'find', 'update']);
      const [insert, find, , update] = sent as [
        { documents: unknown },
        { filter: unknown },
        unknown,
        { updates: { q: unknown; u: unknown }[] },
      ];
      expect(insert.documents).toEqual([{ _id: index, text }]);
      expect(find.filter).toEqual({ text });
      expect(update.updates[0]).toMatchObject({ q: { text }, u: { $set: { text } } });
      accepted += 1;
    }
    expect(accepted).toBeGreaterThan(400);
    expect(await texts.count({})).toBe(accepted);
  }, 120_000);

  it('are names of fields as they are, or refused', async () => {
    const fields = db.collection(newName());
    let stored = 0;
    for (const [index, name] of naughty.entries()) {
      const result = await fields.insertOne({ _id: index, [name]: name }).then(
        () => undefined,
        (error: unknown) => error,
      );
      const refused = name.startsWith('$') || /[.\0]/.test(name) || name === '_bsontype' || !storable(name);
      expect([name, result instanceof ValidationError]).toEqual([name, refused]);
      if (refused) continue;
      stored += 1;
      expect(await fields.findOne({ _id: index })).toEqual(name === '_id' ? {} : { _id: index, [name]: name });
      const sent = await sentBy(() => fields.find({ [name]: 'x' }).catch(() => []));
      expect(operatorsIn(sent[0]?.filter)).toEqual([]);
    }
    expect(stored).toBeGreaterThan(250);
  }, 120_000);

  it('are names of collections as they are, or refused', async () => {
    let made = 0;
    for (const name of naughty) {
      const sent = await sentBy(async () => {
        try {
          await db.create(name, { id: 1 });
          made += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
        }
      });
      if (sent.length > 0) expect(sent).toMatchObject([{ insert: name, $db: 'guards' }]);
    }
    expect(made).toBeGreaterThan(250);
  }, 120_000);

  it('keep their shape, whatever document they are in', async () => {
    const documents = db.collection(newName());
    let next = 0;
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ stringUnit: 'binary' }), async (value) => {
        const _id = next++;
        const before = emulator.received.length;
        const outcome = await documents.insertOne({ _id, value }).then(
          () => 'stored',
          (error: unknown) => (error instanceof ValidationError ? 'refused' : error),
        );
        if (outcome === 'refused') expect(emulator.received.slice(before)).toEqual([]);
        else expect(await documents.findOne({ _id })).toEqual({ _id, value });
      }),
    );
  }, 300_000);
});

describe('options', () => {
  it('are checked where they enter, and show no password', () => {
    const cases: readonly object[] = [
      {},
      { url: 'mongodb://h/db', client: {} },
      { url: 'postgres://u:hunter2hunter2@h/db' },
      { url: 'mongodb://u:hunter2hunter2@h' },
      { url: 'mongodb://u:hunter2/hunter2@h/db' },
      { url: 'mongodb://h/db', database: 'a b' },
      { url: 'mongodb://h/db', database: '' },
      { url: 'mongodb://h/db', maxConnection: 3 },
      { url: 'mongodb://h/db', connectTimeoutMs: 0 },
      { client: {}, database: 'x' },
      { url: 'mongodb://h/db', migrations: [{ id: '1' }] },
      {
        url: 'mongodb://h/db',
        migrations: [
          { id: '1', up: [] },
          { id: '1', up: [] },
        ],
      },
    ];
    for (const options of cases) {
      try {
        new MongoDatabase(options as never);
        expect.fail(`accepted ${JSON.stringify(options)}`);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigurationError);
        expect(String(error)).not.toContain('hunter2');
      }
    }
  });

  it('of calls are checked too', async () => {
    const users = db.collection('users');
    for (const options of [
      { limit: 0 },
      { sort: { a: 2 } },
      { sort: { $a: 1 } },
      { projection: { a: { $slice: 1 } } },
      { lim: 1 },
      { skip: -1 },
    ]) {
      expect(await rejection(users.find({}, options as never))).toMatchObject({
        code: expect.stringMatching(/VALIDATION|CONFIGURATION/),
      });
    }
  });
});
