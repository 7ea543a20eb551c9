import { TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresWire } from '../../src/testing/services/postgres/postgres-wire.js';
import { RedisWire } from '../../src/testing/services/redis/redis-wire.js';

describe('namespace()', () => {
  let services: TestContainer;

  beforeAll(async () => {
    services = await TestContainer.start({ postgres: { kinds: ['system', 'package'] }, redis: { kinds: ['system'] } });
  });
  afterAll(() => services?.stop());

  it('gives each test a schema that unqualified names resolve in', async () => {
    await using one = await services.postgres.namespace();
    await using two = await services.postgres.namespace();
    expect(one.name).not.toBe(two.name);
    await using mine = await PostgresWire.connect(one.url);
    await using theirs = await PostgresWire.connect(two.url);
    await mine.run('create table orders (id int)');
    await theirs.run('create table orders (id text)');
    await mine.run(`insert into ${one.name}.orders values (1); insert into orders values (2)`);
    await expect(mine.run(`insert into orders values ('x')`)).rejects.toThrow('22P02');
  });

  it('keeps other options of the URL', async () => {
    const url = new URL(services.postgres.url);
    url.searchParams.set('options', '-c statement_timeout=1234');
    await using outer = await TestContainer.start({ postgres: true, environment: { POSTGRES_URL: url.href } });
    await using inner = await outer.postgres.namespace();
    await using sql = await PostgresWire.connect(inner.url);
    await sql.run(
      `do $$ begin assert current_setting('statement_timeout') = '1234ms' and current_schema() = '${inner.name}'; end $$`,
    );
  });

  it('drops the schema with all it holds and nothing else, also twice', async () => {
    const namespace = await services.postgres.namespace();
    await using sql = await PostgresWire.connect(services.postgres.url);
    await sql.run(`create table if not exists kept (id int); create table ${namespace.name}.gone (id int)`);
    await namespace.drop();
    await namespace.drop();
    await expect(sql.run(`create table ${namespace.name}.t (id int)`)).rejects.toThrow('3F000');
    await sql.run('select * from kept');
  });

  it('gives each test a key prefix, and drops the keys that begin with it and nothing else', async () => {
    await using wire = await RedisWire.connect(services.redis.url);
    const namespace = await services.redis.namespace();
    const other = await services.redis.namespace();
    const keys = Array.from({ length: 2_500 }, (_, index) => `${namespace.name}${index}`);
    for (const key of keys) await wire.command('SET', key, 'x');
    await wire.command('SET', `${other.name}kept`, 'x');
    await wire.command('SET', `not-${namespace.name}`, 'x');
    await namespace.drop();
    await namespace.drop();
    expect(await wire.command('DBSIZE')).toBe(2);
    await other.drop();
    expect(await wire.command('KEYS', '*')).toEqual([`not-${namespace.name}`]);
  });

  it('works in the database that the URL names', async () => {
    await using second = await TestContainer.start({
      redis: true,
      environment: { REDIS_URL: `${services.redis.url}/3` },
    });
    const namespace = await second.redis.namespace();
    await using wire = await RedisWire.connect(second.redis.url);
    await wire.command('SET', `${namespace.name}a`, 'x');
    expect(await wire.command('DBSIZE')).toBe(1);
    await namespace.drop();
    expect(await wire.command('DBSIZE')).toBe(0);
  });
});
