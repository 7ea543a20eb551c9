import { TestContainer } from '@safla/sdk/testing';
import { expect, it } from 'vitest';
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
