import { ClosedError, ConfigurationError, NotFoundError, UnsupportedError, ValidationError } from '@safla/sdk/core';
import { DatabaseIntegration, PostgresDatabase } from '@safla/sdk/database';
import { EventStream, Outbox, outboxTable } from '@safla/sdk/events';
import { TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newName, rejection } from './support.js';

let services: TestContainer;

beforeAll(async () => {
  services = await TestContainer.start({ postgres: true });
}, 120_000);

afterAll(async () => {
  await services.stop();
});

describe("the guide's methods", () => {
  it('connect, run statements and close', async () => {
    const db = new DatabaseIntegration();
    await db.initializePostgreSQL(services.postgres.url);
    const table = newName();
    await db.executePostgreSQLQuery(`create table ${table} (id int, tags text[], meta jsonb)`);
    await db.executePostgreSQLQuery(`insert into ${table} values ($1, $2, $3)`, [1, ['a', 'b'], { deep: [1] }]);
    expect(await db.executePostgreSQLQuery(`select * from ${table}`)).toEqual([
      { id: 1, tags: ['a', 'b'], meta: { deep: [1] } },
    ]);
    await db.close();
    await db.close();
    expect(await rejection(db.executePostgreSQLQuery('select 1'))).toBeInstanceOf(ClosedError);
  });

  it('say what has to be called first', async () => {
    const db = new DatabaseIntegration();
    expect(await rejection(db.executePostgreSQLQuery('select 1'))).toBeInstanceOf(ConfigurationError);
    expect(await rejection(db.executeMongoDBOperation('c', 'find', {}))).toBeInstanceOf(ConfigurationError);
    expect(() => db.postgres).toThrow(ConfigurationError);
    expect(() => db.mongo).toThrow(ConfigurationError);
    expect(await db.isConnected()).toBe(false);
    await db.close();
  });

  it('do not run a transaction statement by statement, nor two statements in one', async () => {
    await using db = new DatabaseIntegration();
    await db.initializePostgreSQL(services.postgres.url);
    expect(await rejection(db.executePostgreSQLQuery('BEGIN'))).toBeInstanceOf(UnsupportedError);
    expect(await rejection(db.executePostgreSQLQuery('select 1; select 2'))).toMatchObject({ sqlstate: '42601' });
    expect(await rejection(db.executePostgreSQLQuery('select $1', [undefined]))).toBeInstanceOf(ValidationError);
  });

  it('leave no pool behind when connecting is done twice or fails', async () => {
    await using watch = new PostgresDatabase({ url: services.postgres.url });
    const url = new URL(services.postgres.url);
    const name = newName();
    url.searchParams.set('application_name', name);
    const db = new DatabaseIntegration();
    await db.initializePostgreSQL(url.href);
    await db.initializePostgreSQL(url.href);
    const { n } = await watch.sql.one<{
      n: number;
    }>`select count(*) n from pg_stat_activity where application_name = ${name}`;
    expect(n).toBeLessThanOrEqual(1);
    const wrong = new URL(url);
    wrong.pathname = '/no_such_database';
    expect(await rejection(db.initializePostgreSQL(wrong.href))).toMatchObject({ kind: 'unknown-database' });
    expect(await db.executePostgreSQLQuery('select 1 a')).toEqual([{ a: 1 }]);
    await db.close();
  });
});

describe.each(['postgres', 'memory'])('one door on %s', (engine) => {
  it('has the same rows on every engine, in a namespace of its own', async () => {
    const url = engine === 'memory' ? 'memory:' : services.postgres.url;
    const schema = newName('ns');
    const migrations = [
      { id: '1', up: 'create table test_table (id int generated always as identity primary key, name text)' },
    ];
    await using db = new DatabaseIntegration({ url, schema, migrations });
    await db.migrate();
    await db.migrate();
    expect(await db.isConnected()).toBe(true);
    const created = await db.create('test_table', { name: 'test' });
    expect(created.id).toBeDefined();
    const id = created.id as number;
    expect(await db.findById('test_table', id)).toMatchObject({ name: 'test' });
    expect(await db.update('test_table', id, { name: 'updated' })).toEqual({ id, name: 'updated' });
    expect(await db.delete('test_table', id)).toBe(true);
    expect(await db.delete('test_table', id)).toBe(false);
    expect(await rejection(db.update('test_table', id, { name: 'x' }))).toBeInstanceOf(NotFoundError);
    expect(await db.postgres.sql.one`select current_schema() s`).toEqual({ s: schema });
    await db.cleanup();
    await db.cleanup();
    expect(await db.postgres.sql`select 1 from pg_namespace where nspname = ${schema}`).toEqual([]);
  });

  it('drops nothing that it did not make', async () => {
    const url = engine === 'memory' ? 'memory:' : services.postgres.url;
    const schema = newName('theirs');
    await using db = new DatabaseIntegration({ url, schema, migrations: [{ id: '1', up: 'create table t (id int)' }] });
    await db.postgres.query(`create schema ${schema}`);
    await db.migrate();
    expect(await rejection(db.cleanup())).toBeInstanceOf(UnsupportedError);
    expect(await db.postgres.sql`select * from t`).toEqual([]);
    await using plain = new DatabaseIntegration({ url });
    expect(await rejection(plain.cleanup())).toBeInstanceOf(UnsupportedError);
  });

  it('carries an outbox: the row and the event commit together or not at all', async () => {
    const url = engine === 'memory' ? 'memory:' : services.postgres.url;
    const schema = newName('outbox');
    await using db = new PostgresDatabase({ url, schema });
    await db.migrate([outboxTable(), { id: 'refunds', up: 'create table refunds (id int primary key)' }]);
    await using events = new EventStream({ url: 'memory:' });
    await using outbox = new Outbox({ db, events });
    await db.transaction(async (tx) => {
      await tx.sql`insert into refunds values (1)`;
      await outbox.publish(tx, 'order.refunded', { id: 1 });
    });
    await rejection(
      db.transaction(async (tx) => {
        await outbox.publish(tx, 'order.refunded', { id: 2 });
        throw new Error('no');
      }),
    );
    expect(await outbox.relay()).toBe(1);
    const seen: unknown[] = [];
    for await (const { data } of events.replay('order.refunded', { from: 'start' })) seen.push(data);
    expect(seen).toEqual([{ id: 1 }]);
  });
});
