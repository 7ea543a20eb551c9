import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MongoDatabase } from '@safla/sdk/database';
import { ServiceUnavailableError, TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MongoEmulator } from '../support/mongo-emulator/mongo-emulator.js';
import { nothing, ownTemporaryFolder, processesIn, remains, startFixture } from '../testing/helpers.js';
import { rejection } from './support.js';

const program = fileURLToPath(new URL('../support/mongo-emulator/mongod-program.ts', import.meta.url));
const loader = import.meta.resolve('tsx');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safla-mongod-'));
  const file = join(folder, 'mongod');
  await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" --import "${loader}" "${program}" "$@"\n`);
  await chmod(file, 0o755);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function works(services: TestContainer): Promise<void> {
  const namespace = await services.mongodb.namespace();
  await using db = new MongoDatabase({ url: namespace.url });
  await db.collection('x').insertOne({ a: 1 });
  expect(await db.collection('x').count({})).toBe(1);
  await namespace.drop();
  expect(await db.collection('x').count({})).toBe(0);
}

describe('MongoDB for tests', () => {
  const temporary = ownTemporaryFolder();

  it('is the one that MONGODB_URL names (emulator)', async () => {
    await using emulator = await MongoEmulator.start({ users: { app: 'hunter2hunter2' } });
    const environment = { MONGODB_URL: emulator.url('admin') };
    await using services = await TestContainer.start({ mongodb: true, environment });
    expect(services.mongodb).toMatchObject({ kind: 'environment', origin: 'MONGODB_URL', version: '8.0.0-emulator' });
    expect(services.report().join()).not.toContain('hunter2');
    await works(services);
  });

  it('is started from the mongod on PATH (emulator in its place), and ends with stop', async () => {
    const environment = { PATH: folder };
    const services = await TestContainer.start({ mongodb: { kinds: ['system'] }, environment });
    expect(services.mongodb).toMatchObject({ kind: 'system', origin: join(folder, 'mongod'), host: '127.0.0.1' });
    await works(services);
    const { url } = services.mongodb;
    await services.stop();
    await using gone = new MongoDatabase({ url, database: 'x', connectTimeoutMs: 300 });
    expect(await gone.isConnected()).toBe(false);
    await expect.poll(() => remains(temporary.path), { timeout: 20_000 }).toEqual(nothing);
  }, 120_000);

  it('leaves no process and no file when the test process is killed (emulator in its place)', async () => {
    const environment = { PATH: `${folder}:${process.env.PATH}`, TMPDIR: temporary.path };
    const services = { mongodb: { kinds: ['system'] } };
    const { child } = await startFixture('hold-services.ts', { services, environment });
    expect(remains(temporary.path)).toMatchObject({ files: { length: 1 } });
    expect(processesIn(temporary.path).length).toBeGreaterThan(1);
    child.kill('SIGKILL');
    await expect.poll(() => remains(temporary.path), { timeout: 20_000 }).toEqual(nothing);
  }, 120_000);

  it('is missed by an error that says what was tried and what helps', async () => {
    const environment = { MONGODB_URL: 'mongodb://u:hunter2hunter2@127.0.0.1:1/x', PATH: '/nowhere' };
    const error = await rejection(TestContainer.start({ mongodb: { kinds: ['environment', 'system'] }, environment }));
    expect(error).toBeInstanceOf(ServiceUnavailableError);
    expect(String(error)).toMatch(
      /MONGODB_URL is set, but: .*ECONNREFUSED[\s\S]*mongod on PATH[\s\S]*npm install --save-dev mongodb-memory-server-core/,
    );
    expect(String(error)).not.toContain('hunter2');
  }, 60_000);
});
