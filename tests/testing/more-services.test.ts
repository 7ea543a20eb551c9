import { inspect } from 'node:util';
import { DatabaseIntegration } from '@safla/sdk/database';
import { ServiceUnavailableError, TestContainer } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { NatsWire } from '../../src/testing/services/nats/nats-wire.js';
import { nothing, ownTemporaryFolder, remains } from './helpers.js';

describe('NATS', () => {
  const folder = ownTemporaryFolder();

  it('has JetStream and a password, and leaves nothing', async () => {
    const services = await TestContainer.start({ nats: { kinds: ['system'], config: { max_payload: 2048 } } });
    const { nats } = services;
    expect(nats).toMatchObject({ name: 'nats', kind: 'system', version: expect.stringMatching(/^\d+\.\d+/) });
    const wire = await NatsWire.connect(nats.url);
    await expect(wire.request('$JS.API.INFO', {})).resolves.toMatchObject({ streams: 0 });
    await wire[Symbol.asyncDispose]();
    const { password } = new URL(nats.url);
    expect(inspect(services, { depth: 9 }) + services.report().join()).not.toContain(password);
    await expect(NatsWire.connect(nats.url.replace(password, 'guess'))).rejects.toThrow('Authorization Violation');
    await services.stop();
    await expect.poll(() => remains(folder.path), { timeout: 10_000 }).toEqual(nothing);
  });

  it('drops the streams of a namespace and no others', async () => {
    await using services = await TestContainer.start({ nats: { kinds: ['system'] } });
    await using wire = await NatsWire.connect(services.nats.url);
    const [mine, theirs] = [await services.nats.namespace(), await services.nats.namespace()];
    for (const { name } of [mine, theirs]) {
      await wire.request(`$JS.API.STREAM.CREATE.${name}_orders`, { name: `${name}_orders`, subjects: [`${name}.>`] });
    }
    await mine.drop();
    await mine.drop();
    const { streams } = await wire.request('$JS.API.STREAM.NAMES', {});
    expect(streams).toEqual([`${theirs.name}_orders`]);
  });

  it('is taken from the environment, unless what is there is none', async () => {
    await using services = await TestContainer.start({ nats: { kinds: ['system'] } });
    const environment = { NATS_URL: services.nats.url };
    await using found = await TestContainer.start({ nats: true, environment });
    expect(found.nats).toMatchObject({ kind: 'environment', origin: 'NATS_URL', url: services.nats.url });
    for (const NATS_URL of ['http://127.0.0.1:4222', 'nats://127.0.0.1:1']) {
      const settings = { nats: { kinds: ['environment'] }, environment: { NATS_URL } } as const;
      await expect(TestContainer.start(settings)).rejects.toThrow('NATS_URL is set, but');
    }
  });
});

describe('PGlite in the place of PostgreSQL', () => {
  const settings = { postgres: { kinds: ['pglite'] } } as const;

  it('is said to be what it is, and works for the classes of this package', async () => {
    await using services = await TestContainer.start(settings);
    expect(services.postgres).toMatchObject({ kind: 'pglite', url: 'memory:', host: '', port: 0 });
    expect(services.report()).toEqual([
      expect.stringMatching(/^postgres \(PGlite \d+\.\d+\.\d+\) \(pglite: .+\) in this process, ready in/),
    ]);
    await using mine = await services.postgres.namespace();
    await using db = new DatabaseIntegration({ url: mine.url });
    await expect(db.executePostgreSQLQuery('select 1 as one')).resolves.toEqual([{ one: 1 }]);
  });

  it('is not used where a real one is required, nor for one that is configured', async () => {
    await expect(TestContainer.start({ ...settings, required: 'real' })).rejects.toBeInstanceOf(
      ServiceUnavailableError,
    );
    const configured = { postgres: { ...settings.postgres, config: { max_connections: 5 } } };
    await expect(TestContainer.start(configured)).rejects.toThrow('cannot be configured');
  });
});
