import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import { ConfigurationError, ConnectionError, TimeoutError, UnsupportedError, withContext } from '@safla/sdk/core';
import {
  ConnectFailedError,
  ConnectionLostError,
  DatabaseError,
  DatabaseIntegration,
  MongoDatabase,
  type MongoDatabaseOptions,
} from '@safla/sdk/database';
import { MongoClient } from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import { MongoEmulator, type MongoEmulatorOptions } from '../support/mongo-emulator/mongo-emulator.js';
import { eventually, rejection } from './support.js';

const owned: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of owned.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function emulate(options: MongoEmulatorOptions = {}): Promise<MongoEmulator> {
  const emulator = await MongoEmulator.start(options);
  owned.push(emulator);
  return emulator;
}

function open(url: string, options: Partial<MongoDatabaseOptions> = {}): MongoDatabase {
  const db = new MongoDatabase({ url, ...options } as MongoDatabaseOptions);
  owned.push({ [Symbol.asyncDispose]: () => db.close({ timeoutMs: 0 }) });
  return db;
}

const shown = (value: unknown): string =>
  `${String(value)} ${inspect(value, { depth: 9, showHidden: true })} ${JSON.stringify(value)} ${(value as Error).stack ?? ''}`;

describe('connecting (emulator)', () => {
  it('logs in, and says when the password is wrong without showing it', async () => {
    const emulator = await emulate({ users: { app: 'correct horse/battery' } });
    const db = open(emulator.url('shop'));
    expect(await db.isConnected()).toBe(true);
    await db.collection('x').insertOne({ a: 1 });
    const wrong = open(emulator.url('shop').replace(/:[^:@/]+@/, ':hunter2hunter2@'));
    const error = await rejection(wrong.collection('x').find({}));
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ kind: 'authentication', retryable: false });
    for (const value of [error, wrong, await wrong.health(), db]) {
      expect(shown(value)).not.toContain('hunter2');
      expect(shown(value)).not.toContain('battery');
    }
    expect(await wrong.isConnected()).toBe(false);
  });

  it('gives up on a server that accepts and says nothing, and on one that is not there', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as AddressInfo;
    const db = open(`mongodb://u:hunter2hunter2@127.0.0.1:${port}/x`, { connectTimeoutMs: 300 });
    const error = await rejection(db.collection('x').find({}));
    expect(error).toBeInstanceOf(ConnectFailedError);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(shown(error)).not.toContain('hunter2');
    expect(await rejection(withContext({ timeoutMs: 50 }, () => db.collection('x').find({})))).toBeInstanceOf(
      TimeoutError,
    );
    await db.close({ timeoutMs: 0 });
    silent.close();
    const absent = open('mongodb://127.0.0.1:1/x', { connectTimeoutMs: 300 });
    expect(await rejection(absent.collection('x').insertOne({}))).toMatchObject({
      systemCode: 'ECONNREFUSED',
      retryable: true,
    });
    const one = new DatabaseIntegration();
    expect(
      await rejection(
        one.initializeMongoDB('mongodb://u:hunter2hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=200', 'x'),
      ),
    ).toBeInstanceOf(ConnectFailedError);
    expect(() => one.mongo).toThrow(ConfigurationError);
  });

  it('connects at the next call when the server has come', async () => {
    const first = await MongoEmulator.start();
    const { port } = first;
    const db = open(`mongodb://127.0.0.1:${port}/x`, { connectTimeoutMs: 1_000 });
    await first[Symbol.asyncDispose]();
    expect(await db.isConnected()).toBe(false);
    await emulate({ port });
    await eventually(() => db.isConnected());
  });

  it('refuses URLs that the driver cannot use, without their password', async () => {
    const db = open('mongodb://u:hunter2hunter2@h/x?noSuchOption=hunter2hunter2');
    const error = await rejection(db.collection('x').find({}));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(shown(error)).not.toContain('hunter2');
  });

  it('uses a client of the host, and leaves it open', async () => {
    const emulator = await emulate();
    const client = new MongoClient(emulator.url('x'));
    const db = new MongoDatabase({ client, database: 'shop' });
    await db.collection('x').insertOne({ a: 1 });
    await db.close();
    expect(await client.db('shop').collection('x').countDocuments()).toBe(1);
    await client.close();
  });
});

describe('a server in trouble (emulator)', () => {
  it('stands behind ConnectionLostError when it hangs up, and is used again when it is back', async () => {
    const emulator = await emulate();
    const db = open(emulator.url('x'));
    await db.command({ ping: 1 });
    emulator.intercept = (name) => (name === 'insert' ? 'cut' : undefined);
    expect(await rejection(db.collection('x').insertOne({ a: 1 }))).toBeInstanceOf(ConnectionLostError);
    emulator.intercept = undefined;
    await eventually(async () => (await db.isConnected()) === true);
    emulator.cut();
    await eventually(() =>
      db
        .collection('x')
        .insertOne({ b: 1 })
        .then(
          () => true,
          () => false,
        ),
    );
  });

  it('lets its callers go at their time and by their signal', async () => {
    const emulator = await emulate();
    const db = open(emulator.url('x'));
    await db.command({ ping: 1 });
    emulator.intercept = (name) => (name === 'find' || name === 'insert' ? 'silent' : undefined);
    expect(await rejection(db.collection('x').find({}, { timeoutMs: 100 }))).toBeInstanceOf(TimeoutError);
    const abort = new AbortController();
    const reason = new Error('enough');
    const reading = rejection(db.collection('x').findOne({}, { signal: abort.signal }));
    const writing = rejection(db.collection('x').insertOne({ a: 1 }, { signal: abort.signal }));
    await eventually(() => emulator.received.filter((command) => 'find' in command || 'insert' in command).length >= 3);
    const started = performance.now();
    abort.abort(reason);
    expect(await reading).toBe(reason);
    expect(await writing).toBe(reason);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(db.metrics().running).toBe(0);
    const find = emulator.received.find((command) => 'find' in command);
    expect(find?.maxTimeMS).toBeGreaterThanOrEqual(100);
    emulator.intercept = undefined;
    expect(await db.collection('x').find({})).toEqual([]);
  });

  it('settles close in time, whatever it does', async () => {
    const emulator = await emulate();
    const db = open(emulator.url('x'));
    await db.command({ ping: 1 });
    emulator.intercept = () => 'silent';
    const reading = rejection(db.collection('x').find({}));
    await db.close({ timeoutMs: 400 });
    expect(await reading).toMatchObject({ code: 'CLOSED' });
    await eventually(() => emulator.connections === 0);
  });

  it('keeps no cursor open when a loop is left, and none when it throws', async () => {
    const emulator = await emulate();
    const db = open(emulator.url('x'));
    const numbers = db.collection('n');
    await numbers.insertMany(Array.from({ length: 50 }, (_, n) => ({ n })));
    for await (const _ of numbers.stream({}, { batchSize: 5 })) break;
    await rejection(
      (async () => {
        for await (const _ of numbers.stream({}, { batchSize: 5 })) throw new Error('stop');
      })(),
    );
    expect(emulator.cursors.size).toBe(0);
  });

  it('retries a transaction whose connection broke, and commits once', async () => {
    const emulator = await emulate();
    const db = open(emulator.url('x'));
    await db.collection('t').insertOne({ _id: 1, n: 0 });
    let cuts = 0;
    emulator.intercept = (name) => (name === 'update' && cuts++ === 0 ? 'cut' : undefined);
    await db.transaction(async (tx) => {
      await tx.collection('t').updateOne({ _id: 1 }, { $inc: { n: 1 } });
    });
    let commits = 0;
    emulator.intercept = (name) =>
      name === 'commitTransaction' && commits++ === 0
        ? {
            ok: 0,
            code: 91,
            codeName: 'ShutdownInProgress',
            errmsg: 'shutting down',
            errorLabels: ['RetryableWriteError', 'UnknownTransactionCommitResult'],
          }
        : undefined;
    await db.transaction(async (tx) => {
      await tx.collection('t').updateOne({ _id: 1 }, { $inc: { n: 1 } });
    });
    expect(await db.collection('t').findOne({ _id: 1 })).toEqual({ _id: 1, n: 2 });
    expect(commits).toBeGreaterThan(1);
  });

  it('says that a standalone server has no transactions and change streams', async () => {
    const emulator = await emulate({ replicaSet: false });
    const db = open(emulator.url('x'));
    expect(await db.capabilities()).toMatchObject({ deployment: 'standalone', transactions: false });
    expect(await rejection(db.transaction(async () => undefined))).toBeInstanceOf(UnsupportedError);
    expect(await rejection(db.collection('x').watch().ready())).toBeInstanceOf(UnsupportedError);
    await db.collection('x').insertOne({ a: 1 });
  });
});
