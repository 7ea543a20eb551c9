import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ClosedError, ConfigurationError, ConnectionError, RateLimitError } from '@safla/sdk/core';
import {
  MemoryLimiter,
  type RateLimiter,
  type RateQuotas,
  RedisLimiter,
  SecurityIntegration,
} from '@safla/sdk/security';
import { FaultProxy, ManualClock } from '@safla/sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WindowCounter } from '../../src/security/limits/window-counter.js';
import { ownRedis } from '../events/redis-support.js';
import '../support/properties.js';

const hour = 3_600_000;
const redis = ownRedis(true);

const quotas: RateQuotas = { limit: 3, intervalMs: hour, routes: { login: { limit: 1, intervalMs: hour } } };
const redisOf = (options: object = {}) =>
  new RedisLimiter({ ...quotas, client: redis.client, prefix: redis.prefix, ...options });

describe.each<[string, (options?: object) => RateLimiter, string]>([
  ['MemoryLimiter', (options) => new MemoryLimiter({ ...quotas, ...options }), 'memory'],
  ['RedisLimiter', redisOf, 'redis'],
])('%s', (_name, make, source) => {
  it('counts to the limit, and says how long to wait', async () => {
    const [limiter, key] = [make(), randomUUID()];
    const results = [];
    for (let i = 0; i < 4; i++) results.push(await limiter.consume(key));
    expect(results.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
    expect(results.every((result) => result.source === source && result.limit === 3)).toBe(true);
    const last = results[3];
    expect(last?.retryAfterMs).toBeGreaterThan(hour - 1);
    expect(last?.retryAfterMs).toBeLessThanOrEqual(hour * (1 + 1 / 60));
    expect(results[0]?.headers).toEqual({
      'RateLimit-Policy': '"default";q=3;w=3600',
      RateLimit: expect.stringMatching(/^"default";r=2;t=36\d\d$/),
    });
    expect(last?.headers).toMatchObject({
      RateLimit: expect.stringMatching(/r=0;t=36\d\d$/),
      'Retry-After': expect.stringMatching(/^36\d\d$/),
    });
  });

  it('lets no more through than the limit when all come at once', async () => {
    const [limiter, key] = [make(), randomUUID()];
    const results = await Promise.all(Array.from({ length: 30 }, () => limiter.consume(key)));
    expect(results.filter(({ allowed }) => allowed)).toHaveLength(3);
  });

  it('takes costs whole or not at all', async () => {
    const [limiter, key] = [make(), randomUUID()];
    expect(await limiter.consume(key, { cost: 2 })).toMatchObject({ allowed: true, remaining: 1 });
    expect(await limiter.consume(key, { cost: 2 })).toMatchObject({ allowed: false, remaining: 1 });
    expect(await limiter.consume(key, { cost: 0 })).toMatchObject({ allowed: true, remaining: 1 });
    expect(await limiter.consume(key)).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('counts routes, and keys, for themselves', async () => {
    const [limiter, key] = [make(), randomUUID()];
    expect(await limiter.consume(key, { route: 'login' })).toMatchObject({ allowed: true, limit: 1 });
    const second = await limiter.consume(key, { route: 'login' });
    expect(second.allowed).toBe(false);
    expect(second.headers.RateLimit).toContain('"login"');
    expect((await limiter.consume(key)).allowed).toBe(true);
    expect((await limiter.consume(`${key}2`, { route: 'login' })).allowed).toBe(true);
  });

  it('punishes, blocks and forgives', async () => {
    const [limiter, key] = [make(), randomUUID()];
    await limiter.penalty(key, 10);
    expect(await limiter.consume(key)).toMatchObject({ allowed: false, remaining: 0 });
    await limiter.reset(key);
    expect((await limiter.consume(key)).allowed).toBe(true);
    await limiter.block(key, 60_000);
    const blocked = await limiter.consume(key);
    expect(blocked).toMatchObject({ allowed: false, remaining: 0 });
    expect(blocked.retryAfterMs).toBeGreaterThan(50_000);
    await limiter.reset(key);
    expect((await limiter.consume(key)).allowed).toBe(true);
  });

  it.each<[unknown, object]>([
    [undefined, {}],
    [null, {}],
    ['', {}],
    [7, {}],
    ['x'.repeat(513), {}],
    ['a', { route: 'nowhere' }],
    ['a', { route: '__proto__' }],
    ['a', { cost: 4 }],
    ['a', { cost: -1 }],
    ['a', { cost: 1.5 }],
  ])('refuses %o with %o', async (key, options) => {
    await expect(make().consume(key as string, options)).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe('the sliding window', () => {
  it('lets no more than the limit into any interval, and most of it in the long run', async () => {
    const clock = new ManualClock();
    const limiter = new MemoryLimiter({ limit: 60, intervalMs: 6_000, clock });
    const times: number[] = [];
    for (let step = 0; step < 2_000; step++) {
      for (let i = 0; i < 5; i++) if ((await limiter.consume('a')).allowed) times.push(clock.now());
      await clock.advance(37);
    }
    for (const [index, time] of times.entries())
      expect(times.filter((other, at) => at >= index && other < time + 6_000).length).toBeLessThanOrEqual(60);
    expect(times.length).toBeGreaterThan(((2_000 * 37) / 6_000) * 60 * 0.95);
  });

  it('says the time after which it is allowed, and not before', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2_000), fc.integer({ min: 1, max: 4 })), { maxLength: 60 }), (steps) => {
        const counter = new WindowCounter({ limit: 7, intervalMs: 6_000 });
        let now = 1_000_000;
        for (const [pause, cost] of steps) {
          now += pause;
          const { allowed, retryAfterMs } = counter.take(cost, now);
          if (allowed) continue;
          expect(counter.take(cost, now + retryAfterMs - 1).allowed).toBe(false);
          now += Math.ceil(retryAfterMs);
          expect(counter.take(cost, now).allowed).toBe(true);
        }
      }),
    );
  });

  it('has no double burst around the edge of an interval on Redis', async () => {
    const limiter = redisOf({ limit: 20, intervalMs: 500 });
    const key = randomUUID();
    const granted: number[] = [];
    const end = Date.now() + 2_000;
    while (Date.now() < end) {
      const sent = performance.now();
      if ((await limiter.consume(key)).allowed) granted.push(sent);
    }
    // By the time of sending; the server's own is at most a round trip later, which the narrower window covers.
    for (const time of granted)
      expect(granted.filter((t) => t >= time && t < time + 400).length).toBeLessThanOrEqual(20);
    expect(granted.length).toBeGreaterThan(40);
  });

  it('forgets the oldest key when there are too many', async () => {
    const limiter = new MemoryLimiter({ limit: 1, intervalMs: hour, maxKeys: 2 });
    for (const key of ['a', 'b', 'c']) await limiter.consume(key);
    expect((await limiter.consume('c')).allowed).toBe(false);
    expect((await limiter.consume('a')).allowed).toBe(true);
  });
});

describe('while Redis is away', () => {
  async function cutOff(options: object) {
    const proxy = await FaultProxy.start({ target: redis.url });
    const limiter = new RedisLimiter({ ...quotas, url: proxy.url, prefix: redis.prefix, probeMs: 50, ...options });
    const key = randomUUID();
    expect(await limiter.consume(key)).toMatchObject({ allowed: true, source: 'redis' });
    proxy.refuse();
    proxy.cut();
    // Until the client has seen the end of its connection.
    while ((await limiter.consume(randomUUID())).source === 'redis') await new Promise((r) => setTimeout(r, 5));
    return {
      proxy,
      limiter,
      key,
      [Symbol.asyncDispose]: async () => {
        await limiter.close();
        await proxy.close();
      },
    };
  }

  it.each([
    ['insure', true, 'insurance'],
    ['open', true, 'open'],
    ['closed', false, 'closed'],
  ] as const)('decides at once by %s, and says so', async (outage, allowed, source) => {
    await using cut = await cutOff({ outage });
    const before = process.cpuUsage();
    const results = [];
    for (let i = 0; i < 100; i++) results.push(await cut.limiter.consume(randomUUID()));
    const { user, system } = process.cpuUsage(before);
    for (const result of results) expect(result).toMatchObject({ allowed, source });
    // All of it is work of this process: none waits for Redis.
    expect((user + system) / 1_000 / 100).toBeLessThan(5);
    if (outage === 'insure') {
      for (let i = 0; i < 3; i++) expect((await cut.limiter.consume('insured')).allowed).toBe(true);
      expect(await cut.limiter.consume('insured')).toMatchObject({ allowed: false, source: 'insurance' });
    }
  });

  it('comes back to the shared count when Redis does', async () => {
    await using cut = await cutOff({});
    await cut.proxy.heal();
    let source = '';
    while (source !== 'redis') {
      source = (await cut.limiter.consume(randomUUID())).source;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await cut.limiter.consume(cut.key)).toMatchObject({ remaining: 1 });
    await expect(cut.limiter.block(cut.key, 1_000)).resolves.toBeUndefined();
  });

  it('waits once, no longer than it is told, for a server that never answers', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const limiter = new RedisLimiter({ ...quotas, url, commandTimeoutMs: 100, outage: 'closed' });
    const security = new SecurityIntegration({ limiter });
    await expect(security.checkRateLimit('a')).rejects.toBeInstanceOf(ConnectionError);
    expect(await limiter.consume('a')).toMatchObject({ allowed: false, source: 'closed' });
    await expect(limiter.block('a', 1_000)).rejects.toMatchObject({ retryable: true });
    await limiter.close();
    await expect(limiter.consume('a')).rejects.toBeInstanceOf(ClosedError);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('is never called a limit that was reached', async () => {
    const security = new SecurityIntegration({ limiter: new MemoryLimiter({ limit: 1, intervalMs: hour }) });
    await security.checkRateLimit('a');
    await expect(security.checkRateLimit('a')).rejects.toBeInstanceOf(RateLimitError);
    await using cut = await cutOff({ outage: 'closed' });
    await expect(new SecurityIntegration({ limiter: cut.limiter }).checkRateLimit('a')).rejects.toThrow(
      /cannot be checked/,
    );
  });

  it('leaves when its caller does', async () => {
    const reason = new Error('left');
    await expect(redisOf().consume('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

it.each<[object]>([
  [{ limit: 0, intervalMs: 1 }],
  [{ limit: Infinity, intervalMs: 1 }],
  [{ limit: 1 }],
  [{ limit: 1, intervalMs: 1, routes: { a: { limit: 1 } } }],
  [{ limit: 1, intervalMs: 1, routes: { 'a"b': { limit: 1, intervalMs: 1 } } }],
  [{ limit: 1, intervalMs: 1, name: 'a b' }],
  [{ limit: 1, intervalMs: 1, outage: 'maybe', url: 'redis://x' }],
  [{ limit: 1, intervalMs: 1, client: { eval: () => 1 } }],
  [{ limit: 1, intervalMs: 1, url: 'http://x' }],
])('refuses the settings %o', (options) => {
  expect(() => new RedisLimiter(options as never)).toThrow(ConfigurationError);
});
