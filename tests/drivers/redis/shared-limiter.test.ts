import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import { SharedLimiter, type SharedLimiterOptions } from '@safla/sdk/api';
import {
  ClosedError,
  ConfigurationError,
  ConnectionError,
  QueueFullError,
  RateLimitError,
  withContext,
} from '@safla/sdk/core';
import { LocalLimiter } from '@safla/sdk/resilience';
import { FaultProxy, TestContainer } from '@safla/sdk/testing';
import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { rejection } from '../../api/support/server.js';

/** Begins every key of this run, so that all can be removed. */
const run = randomUUID();
const newKey = (): string => `${run}:${randomUUID()}`;

let services: TestContainer;
let client: Redis;

beforeAll(async () => {
  services = await TestContainer.start({ redis: true });
  client = new Redis(services.redis.url);
});

afterAll(async () => {
  const keys = await client.keys(`safla:limit:${run}:*`);
  if (keys.length > 0) await client.del(keys);
  client.disconnect();
  await services.stop();
});

const hour = 3_600_000;
const limiterOf = (options: Partial<SharedLimiterOptions> = {}) =>
  new SharedLimiter({ client, key: newKey(), limit: 3, intervalMs: hour, maxWaitMs: 0, ...options });

/** When Redis granted a turn, by its own clock, in milliseconds: it reports each command as it runs it. */
async function watchGrants(key: string) {
  const times: number[] = [];
  const connection = new Redis(services.redis.url);
  const monitor = await connection.monitor();
  monitor.on('monitor', (time: string, [command, name]: string[]) => {
    if (command?.toLowerCase() === 'hincrby' && name === `safla:limit:${key}`) times.push(Number(time) * 1_000);
  });
  return {
    times,
    [Symbol.asyncDispose]: async () => {
      monitor.disconnect();
      connection.disconnect();
    },
  };
}

/** The most turns within any interval. The script sees whole milliseconds, the monitor parts of them. */
function busiest(turns: readonly number[], intervalMs: number): number {
  const sorted = [...turns].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  sorted.forEach((turn, index) => {
    while (turn - (sorted[first] ?? turn) >= intervalMs - 1) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
}

/** Answers every command as Redis 5 answers HELLO: with the arguments, the password among them. */
async function echoingServer(): Promise<{ readonly address: string } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const commands = data.toString().match(/^\*\d+\r$/gm) ?? [];
      for (const _ of commands)
        socket.write(
          '-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `bob`, `hunter2secret`, \r\n',
        );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('SharedLimiter', () => {
  it('lets instances with one key share one quota, and others not', async () => {
    const key = newKey();
    const [a, b, other] = [limiterOf({ key }), limiterOf({ key }), limiterOf()];
    await a.acquire();
    await b.acquire();
    await a.acquire();
    expect(await rejection(b.acquire())).toBeInstanceOf(RateLimitError);
    await other.acquire();
  });

  it('lets four processes use one quota: never more than it in any interval, and nearly all of it', async () => {
    const [limit, intervalMs, periods] = [60, 3_000, process.env.SAFLA_SOAK ? 20 : 3];
    const key = newKey();
    await using grants = await watchGrants(key);
    const worker = fileURLToPath(new URL('./quota-worker.ts', import.meta.url));
    const settings = [services.redis.url, key, limit, intervalMs, periods].map(String);
    const run = () => promisify(execFile)(process.execPath, ['--import', 'tsx', worker, ...settings]);
    const runs = await Promise.all([run(), run(), run(), run()]);
    const turns = runs.map(({ stdout }) => Number(stdout));
    await expect.poll(() => grants.times.length).toBe(turns.reduce((sum, own) => sum + own, 0));
    expect(turns.every((own) => own > 0)).toBe(true);
    expect(busiest(grants.times, intervalMs)).toBeLessThanOrEqual(limit);
    // By the clock of Redis, from the first turn on: how much of what could be used was.
    const first = Math.min(...grants.times);
    const inTime = grants.times.filter((time) => time < first + periods * intervalMs).length;
    expect(inTime / (periods * limit)).toBeGreaterThanOrEqual(0.95);
  });

  it('loses no turn to callers who leave, in line or while Redis answers', async () => {
    const key = newKey();
    await using limiter = limiterOf({ key, limit: 200, intervalMs: hour, maxWaitMs: 2 * hour });
    let granted = 0;
    const callers = Array.from({ length: 150 }, async (_, index) => {
      const controller = new AbortController();
      const turn = limiter.acquire({ signal: controller.signal });
      if (index % 3 === 0) controller.abort('at once');
      else if (index % 3 === 1) setTimeout(() => controller.abort('while it waits'), index % 20);
      await turn.then(
        () => (granted += 1),
        () => undefined,
      );
    });
    await Promise.all(callers);
    const counted = async (): Promise<number> =>
      (await client.hvals(`safla:limit:${key}`)).reduce((sum, count) => sum + Number(count), 0);
    await expect.poll(counted).toBe(granted);
    expect(granted).toBeGreaterThanOrEqual(50);
  });

  it('gives a turn back whose answer came after its caller was told that Redis is silent', async () => {
    const key = newKey();
    await using proxy = await FaultProxy.start({ target: services.redis.url });
    await using limiter = new SharedLimiter({ url: proxy.url, key, limit: 5, intervalMs: hour, commandTimeoutMs: 300 });
    await limiter.acquire();
    proxy.freeze({ direction: 'down' });
    expect(await rejection(limiter.acquire())).toBeInstanceOf(ConnectionError);
    await expect.poll(async () => (await client.hvals(`safla:limit:${key}`)).map(Number)).toEqual([2]);
    await proxy.heal();
    await expect.poll(async () => (await client.hvals(`safla:limit:${key}`)).map(Number)).toEqual([1]);
  });

  it('asks its fallback while Redis is away, and only then', async () => {
    await using proxy = await FaultProxy.start({ target: services.redis.url });
    const fallback = new LocalLimiter({ limit: 2, intervalMs: hour, maxWaitMs: 0 });
    await using limiter = new SharedLimiter({
      url: proxy.url,
      key: newKey(),
      limit: 2,
      intervalMs: hour,
      maxWaitMs: 0,
      fallback,
    });
    await limiter.acquire();
    await limiter.acquire();
    expect(await rejection(limiter.acquire())).toBeInstanceOf(RateLimitError);
    expect(fallback.stats().granted).toBe(0);
    proxy.refuse();
    proxy.cut();
    await limiter.acquire({ cost: 2 });
    expect(await rejection(limiter.acquire())).toBeInstanceOf(RateLimitError);
    expect(fallback.stats().granted).toBe(1);
  });

  it('asks Redis again soon after it failed, also when the clock of the host went back meanwhile', async () => {
    await using proxy = await FaultProxy.start({ target: services.redis.url });
    await using limiter = new SharedLimiter({
      url: proxy.url,
      key: newKey(),
      limit: 100,
      intervalMs: hour,
      maxWaitMs: 0,
    });
    await limiter.acquire();
    proxy.refuse();
    proxy.cut();
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      expect(await rejection(limiter.acquire())).toBeInstanceOf(ConnectionError);
      vi.setSystemTime(Date.now() - hour);
      await proxy.heal();
      await expect
        .poll(
          () =>
            limiter.acquire().then(
              () => true,
              () => false,
            ),
          { timeout: 20_000 },
        )
        .toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  it('has no double burst around an edge: a fixed window would let twice the limit through', async () => {
    const key = newKey();
    await using grants = await watchGrants(key);
    const limiter = limiterOf({ key, limit: 10, intervalMs: 1_000, maxWaitMs: 5_000 });
    await limiter.acquire();
    await new Promise((resolve) => setTimeout(resolve, 900));
    await Promise.all(Array.from({ length: 25 }, () => limiter.acquire()));
    await expect.poll(() => grants.times.length).toBe(26);
    expect(busiest(grants.times, 1_000)).toBe(10);
  });

  it('takes nothing for a cost that does not fit, and tells how long it would take', async () => {
    const limiter = limiterOf({ limit: 10 });
    await limiter.acquire({ cost: 8 });
    const error = (await rejection(limiter.acquire({ cost: 3 }))) as RateLimitError;
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.retryAfterMs).toBeGreaterThan(hour * 0.9);
    expect(error.retryAfterMs).toBeLessThanOrEqual(hour * (61 / 60));
    await limiter.acquire({ cost: 2 });
  });

  it('keeps at most 61 counters per key, which expire', async () => {
    const key = newKey();
    const limiter = limiterOf({ key, limit: 100_000, intervalMs: 1_000 });
    const end = Date.now() + 1_500;
    while (Date.now() < end) await limiter.acquire();
    const name = `safla:limit:${key}`;
    expect(await client.hlen(name)).toBeLessThanOrEqual(61);
    expect(await client.pttl(name)).toBeGreaterThan(0);
  });

  it('leaves other limiters on the same client alone, also those of rate-limiter-flexible itself', async () => {
    const before = new RateLimiterRedis({ storeClient: client, points: 2, duration: 60, keyPrefix: randomUUID() });
    const ours = limiterOf({ limit: 2 });
    const quick = limiterOf({ limit: 2, intervalMs: 200, maxWaitMs: 5_000 });
    await ours.acquire();
    await quick.acquire();
    await before.consume('x');
    await before.consume('x');
    await expect(before.consume('x')).rejects.toMatchObject({ consumedPoints: 3 });
    await ours.acquire();
    expect(await rejection(ours.acquire())).toBeInstanceOf(RateLimitError);
    await quick.acquire();
    await quick.acquire();
  });

  it('bounds the line and lets waiters leave it at once', async () => {
    const limiter = limiterOf({ limit: 1, maxQueue: 1, maxWaitMs: 2 * hour });
    await limiter.acquire();
    const controller = new AbortController();
    const waiting = rejection(limiter.acquire({ signal: controller.signal }));
    await expect.poll(() => limiter.stats().waiting).toBe(1);
    expect(await rejection(limiter.acquire())).toBeInstanceOf(QueueFullError);
    controller.abort('gone');
    expect(await waiting).toBe('gone');
    expect(limiter.stats().waiting).toBe(0);
    expect(await rejection(withContext({ timeoutMs: 20 }, () => limiter.acquire()))).toMatchObject({ code: 'TIMEOUT' });
  });

  it('rejects with ConnectionError, never with a rate limit, when Redis is away, and recovers when it is back', async () => {
    await using proxy = await FaultProxy.start({ target: services.redis.url });
    await using limiter = new SharedLimiter({ url: proxy.url, key: newKey(), limit: 500, intervalMs: hour });
    await limiter.acquire();
    proxy.refuse();
    proxy.cut();
    const error = (await rejection(limiter.acquire())) as ConnectionError;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toContain('Redis cannot be asked');
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY })).not.toContain(
      new URL(proxy.url).password || 'no password',
    );
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await rejection(limiter.acquire())).toMatchObject({ code: 'CONNECTION', systemCode: 'ECONNREFUSED' });
    await proxy.heal();
    const outcome = () =>
      limiter.acquire().then(
        () => 'granted',
        () => 'refused',
      );
    await expect.poll(outcome, { timeout: 10_000 }).toBe('granted');
  });

  it('does not hang on a Redis that is silent, with our client and with a ready one', async () => {
    await using proxy = await FaultProxy.start({ target: services.redis.url });
    proxy.freeze();
    const options = { key: newKey(), limit: 5, intervalMs: hour, commandTimeoutMs: 300, maxWaitMs: 0 };
    const ready = new Redis(proxy.url, { lazyConnect: true });
    ready.on('error', () => undefined);
    const limiters = [
      new SharedLimiter({ url: proxy.url, ...options }),
      new SharedLimiter({ client: ready, ...options }),
    ];
    for (const limiter of limiters) {
      const startedAt = performance.now();
      const errors = await Promise.all(Array.from({ length: 8 }, () => rejection(limiter.acquire())));
      for (const error of errors) expect(error).toBeInstanceOf(ConnectionError);
      // One timeout for all of them, not one after the other.
      expect(performance.now() - startedAt).toBeLessThan(1_800);
      await limiter.close();
    }
    ready.disconnect();
  });

  it('reports an error answer of Redis as ConnectionError with its cause', async () => {
    const key = newKey();
    await client.set(`safla:limit:${key}`, 'not a hash');
    const error = (await rejection(limiterOf({ key }).acquire())) as ConnectionError;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toContain('WRONGTYPE');
  });

  it.each<[string, (address: string) => Promise<{ readonly address: string } & AsyncDisposable>]>([
    ['refuses it', async (address) => ({ address, [Symbol.asyncDispose]: async () => undefined })],
    ['repeats the command it does not know, as before version 6', echoingServer],
  ])('tells nothing of the password when the server %s', async (_, start) => {
    await using server = await start(new URL(services.redis.url).host);
    const url = `redis://bob:hunter2secret@${server.address}`;
    await using limiter = new SharedLimiter({ url, key: newKey(), limit: 5, intervalMs: hour });
    const error = (await rejection(limiter.acquire())) as ConnectionError;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/WRONGPASS|unknown command/);
    expect(error.cause).toBeInstanceOf(Error);
    const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }) + JSON.stringify(error);
    expect(shown).not.toContain('hunter2secret');
    expect(shown).not.toContain('bob');
  });

  it('closes its own connection and not a given one; afterwards it refuses', async () => {
    const key = newKey();
    const own = new SharedLimiter({ url: services.redis.url, key, limit: 5, intervalMs: hour });
    const given = limiterOf();
    await own.acquire();
    await given.acquire();
    await Promise.all([own.close(), own.close(), given.close()]);
    expect(await rejection(own.acquire())).toBeInstanceOf(ClosedError);
    expect(await rejection(given.acquire())).toBeInstanceOf(ClosedError);
    expect(await client.ping()).toBe('PONG');
  });

  it.each([
    [{ limit: 0 }, 'limit'],
    [{ limit: Number.NaN }, 'limit'],
    [{ limit: Number.POSITIVE_INFINITY }, 'limit'],
    [{ limit: undefined }, 'limit'],
    [{ intervalMs: -1 }, 'intervalMs'],
    [{ key: '' }, 'key'],
    [{ client: undefined }, 'client'],
    [{ url: 'redis://127.0.0.1' }, 'client'],
    [{ url: 'http://127.0.0.1' }, 'url'],
    [{ fallback: {} }, 'fallback.acquire'],
    [{ maxQue: 1 }, "did you mean 'maxQueue'"],
  ])('refuses %o', (options, field) => {
    const attempt = () => limiterOf(options as object);
    expect(attempt).toThrow(ConfigurationError);
    expect(attempt).toThrow(new RegExp(field));
  });

  it.each([0, 4, 1.5, Number.NaN])('refuses a cost of %d', async (cost) => {
    expect(await rejection(limiterOf().acquire({ cost }))).toBeInstanceOf(ConfigurationError);
  });
});
