import { randomUUID } from 'node:crypto';
import { RedisLimiter, type RedisLimiterOptions, RedisTokenStore } from '@safla/sdk/security';
import { TestContainer } from '@safla/sdk/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverPid, whileFrozen } from '../events/redis-support.js';

/** A server of our own, to be frozen: it keeps its connections, accepts new ones, and answers nothing. */
let services: TestContainer;
let pid: number;

beforeAll(async () => {
  services = await TestContainer.start({ redis: { kinds: ['system', 'package'] } });
  pid = await serverPid(services.redis.url);
});

afterAll(async () => {
  await services.stop();
});

const quota = { limit: 3, intervalMs: 3_600_000 };
const outcomes = [
  ['insure', true, 'insurance', 'warn'],
  ['open', true, 'open', 'warn'],
  ['closed', false, 'closed', 'fail'],
] as const;

/** Wall milliseconds of each of many decisions, one after the other. */
async function decisionTimes(limiter: RedisLimiter, expected: object): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const started = performance.now();
    const result = await limiter.consume(randomUUID());
    times.push(performance.now() - started);
    expect(result).toMatchObject(expected);
  }
  return times.sort((a, b) => a - b);
}

describe.each(['url', 'client'] as const)('a limiter by %s while its Redis is frozen', (by) => {
  async function open(options: Partial<RedisLimiterOptions>) {
    const client = by === 'client' ? new Redis(services.redis.url) : undefined;
    const where = client ? { client } : { url: services.redis.url };
    const limiter = new RedisLimiter({ ...quota, ...where, commandTimeoutMs: 500, probeMs: 50, ...options });
    while ((await limiter.consume(randomUUID())).source !== 'redis') await new Promise((r) => setTimeout(r, 10));
    return {
      limiter,
      [Symbol.asyncDispose]: async () => {
        await limiter.close();
        client?.disconnect();
      },
    };
  }

  it.each(outcomes)('decides by %s within 5 ms once it knows, and is healthy again after', async (...outcome) => {
    const [outage, allowed, source, status] = outcome;
    await using opened = await open({ outage });
    const { limiter } = opened;
    expect(await limiter.health()).toMatchObject({ status: 'pass' });
    await whileFrozen(pid, async () => {
      // Nobody can tell a server that is slow from one that is frozen before the time for an answer is over.
      expect(await limiter.consume(randomUUID())).toMatchObject({ allowed, source });
      const times = await decisionTimes(limiter, { allowed, source });
      // The middle of them: a busy machine may take the processor away from a few.
      expect(times[100]).toBeLessThan(5);
      expect(await limiter.health()).toMatchObject({ status, output: expect.stringMatching(/in time|within|Redis/) });
    });
    while ((await limiter.consume(randomUUID())).source !== 'redis') await new Promise((r) => setTimeout(r, 10));
    expect(await limiter.health()).toMatchObject({ status: 'pass' });
  });
});

it('tells by its health what the outage of a token store means, and that it was closed', async () => {
  const store = new RedisTokenStore({ url: services.redis.url, commandTimeoutMs: 1_000 });
  expect(await store.health()).toMatchObject({ status: 'pass', latencyMs: expect.any(Number) });
  await whileFrozen(pid, async () => {
    const { status, output } = await store.health();
    expect(status).toBe('fail');
    expect(output).not.toContain('redis://');
  });
  await store.close();
  expect(await store.health()).toMatchObject({ status: 'fail', output: expect.stringContaining('closed') });
});
