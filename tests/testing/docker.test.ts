import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceUnavailableError, TestContainer } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { RedisWire } from '../../src/testing/services/redis/redis-wire.js';
import { nothing, ownTemporaryFolder, remains, ScratchFolder } from './helpers.js';

const onlyDocker = { redis: { kinds: ['docker'] } } as const;

/** A folder whose `docker` is the program given. */
async function withDocker(folder: string, program: string): Promise<{ PATH: string; HOME: string }> {
  await writeFile(join(folder, 'docker'), program);
  await chmod(join(folder, 'docker'), 0o755);
  return { PATH: `${folder}:${process.env.PATH}`, HOME: folder };
}

async function failureOf(environment: Record<string, string>): Promise<ServiceUnavailableError> {
  const error = await TestContainer.start({ ...onlyDocker, environment }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ServiceUnavailableError);
  return error as ServiceUnavailableError;
}

describe('a service by docker', () => {
  const folder = ownTemporaryFolder();

  it('runs with a mounted file for its password, and is removed at its end', async () => {
    using scratch = new ScratchFolder(folder.path);
    const fixture = fileURLToPath(new URL('./fixtures/docker.mjs', import.meta.url));
    await copyFile(fixture, join(scratch.path, 'docker'));
    const environment = { PATH: `${scratch.path}:${process.env.PATH}`, HOME: scratch.path };
    const services = await TestContainer.start({ ...onlyDocker, environment });
    const { redis } = services;
    expect(redis).toMatchObject({ kind: 'docker', origin: 'redis:7', host: '127.0.0.1' });
    await using wire = await RedisWire.connect(redis.url);
    expect(await wire.command('PING')).toBe('PONG');
    const { password } = new URL(redis.url);
    await services.stop();
    const calls = await readFile(join(scratch.path, 'calls'), 'utf8');
    expect(calls).not.toContain(password);
    expect(calls.split('\n').at(-2)).toBe('removed');
    await expect.poll(() => remains(folder.path), { timeout: 10_000 }).toEqual(nothing);
  });

  it('says that there is no docker', async () => {
    const { message, attempts } = await failureOf({ PATH: '' });
    expect(message).toContain('redis: docker or podman with redis:7: no docker command on PATH');
    expect(attempts.find(({ way }) => way.startsWith('docker'))?.broken).toBe(false);
  });

  it('says what the command says when no engine answers', async () => {
    using scratch = new ScratchFolder(folder.path);
    const environment = await withDocker(
      scratch.path,
      '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n',
    );
    const { message, attempts } = await failureOf(environment);
    expect(message).toContain('does not work: Cannot connect to the Docker daemon');
    expect(attempts.find(({ way }) => way.startsWith('docker'))?.broken).toBe(true);
    await expect.poll(() => remains(folder.path), { timeout: 10_000 }).toEqual(nothing);
  });

  it('says what the command printed when the image cannot be had', async () => {
    using scratch = new ScratchFolder(folder.path);
    const script = '#!/bin/sh\nif [ "$1" = run ]; then echo "pull access denied" >&2; exit 125; fi\necho 28\n';
    const { message } = await failureOf(await withDocker(scratch.path, script));
    expect(message).toContain('ended with code 125');
    expect(message).toContain('pull access denied');
    await expect.poll(() => remains(folder.path), { timeout: 10_000 }).toEqual(nothing);
  });
});
