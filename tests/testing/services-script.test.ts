import { existsSync } from 'node:fs';
import { TestContainer } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { notRun } from '../../scripts/not-run.js';
import { ensureServices } from '../../scripts/services.js';

it('the test run gets URLs that TestContainer takes first, and names what it could not get', async () => {
  const services = await ensureServices({ install: false });
  try {
    const expected = { postgres: 'POSTGRES_URL', redis: 'REDIS_URL' } as const;
    for (const [name, variable] of Object.entries(expected)) {
      expect(services.missing.includes(name)).toBe(services.env[variable] === undefined);
      expect(services.lines.join('\n')).toContain(name);
    }
    const request = { postgres: !services.missing.includes('postgres'), redis: !services.missing.includes('redis') };
    await using again = await TestContainer.start({ ...request, environment: services.env });
    expect(again.report().every((line) => line.includes('(environment: '))).toBe(true);
  } finally {
    await services.stop();
  }
});

describe('the suites that are not run', () => {
  it('each names the services that it needs itself', () => {
    const byName = new Map(notRun(['postgres', 'redis'], []).map(({ suite, services }) => [suite, services]));
    expect(notRun(['nats-server'], ['jetstream']).map(({ services }) => services)).toEqual([
      ['nats-server'],
      ['nats-server'],
      ['nats-server'],
    ]);
    expect(byName.get('tests/drivers/redis/shared-limiter.test.ts')).toEqual(['redis']);
    expect(byName.get('tests/testing/package-postgres.test.ts')).toEqual(['postgres']);
    expect(byName.get('tests/examples/services.test.ts')).toEqual(['postgres', 'redis']);
    for (const suite of byName.keys()) expect(existsSync(suite)).toBe(true);
    expect(notRun([], [])).toEqual([]);
  });

  it('are those among the suites asked for', () => {
    const names = (args: string[]): string[] => notRun(['redis'], args).map(({ suite }) => suite);
    expect(names(['tests/core'])).toEqual([]);
    expect(names(['tests/core', 'drivers'])).toEqual(['tests/drivers/redis/shared-limiter.test.ts']);
    expect(names(['-t', 'words of a test'])).toEqual(names([]));
    expect(names([]).length).toBeGreaterThan(5);
  });
});
