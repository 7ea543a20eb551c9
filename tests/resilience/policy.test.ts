import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CircuitOpenError,
  ConfigurationError,
  ConnectionError,
  QueueFullError,
  RateLimitError,
  TimeoutError,
  ValidationError,
  withContext,
} from '@safla/sdk/core';
import { type Attempt, policy } from '@safla/sdk/resilience';
import { ManualClock } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';

const down = (): never => {
  throw new ConnectionError('down');
};
const never = (): Promise<never> => new Promise(() => undefined);
const noPause = { baseDelayMs: 0 };

describe('policy: retries', () => {
  it('repeats a transient failure and gives the later success', async () => {
    const seen: number[] = [];
    const result = await policy({ retry: noPause }).execute(({ number }) => {
      seen.push(number);
      return number < 3 ? down() : 'up';
    });
    expect(result).toBe('up');
    expect(seen).toEqual([1, 2, 3]);
  });

  it('gives the last error when all attempts fail', async () => {
    const target = policy({ retry: noPause });
    await expect(target.execute(down)).rejects.toBeInstanceOf(ConnectionError);
    expect(target.stats()).toMatchObject({ calls: 1, attempts: 3, failures: 1, running: 0 });
  });

  it('does not repeat what another attempt cannot mend', async () => {
    const target = policy({ retry: noPause });
    const bad = (): never => {
      throw new ValidationError('input', []);
    };
    await expect(target.execute(bad)).rejects.toBeInstanceOf(ValidationError);
    await expect(target.execute(() => Promise.reject(new TypeError('bug')))).rejects.toBeInstanceOf(TypeError);
    expect(target.stats().attempts).toBe(2);
  });

  it('attempts work that is not idempotent once', async () => {
    const target = policy({ retry: noPause });
    await expect(target.execute(down, { idempotent: false })).rejects.toBeInstanceOf(ConnectionError);
    expect(target.stats().attempts).toBe(1);
  });

  it('draws pauses between zero and the doubled base, capped', async () => {
    const pauses: number[] = [];
    const target = policy({ retry: { maxRetries: 4, baseDelayMs: 4, maxDelayMs: 10, random: () => 1 } });
    await target.execute(down, { onRetry: ({ delayMs }) => pauses.push(delayMs) }).catch(() => undefined);
    expect(pauses).toEqual([4, 8, 10, 10]);
  });

  it("waits at least the server's Retry-After", async () => {
    const pauses: number[] = [];
    const busy = Object.assign(new ConnectionError('busy'), { retryAfterMs: 30 });
    const target = policy({ retry: { maxRetries: 1, random: () => 0 } });
    await target
      .execute(() => Promise.reject(busy), { onRetry: ({ delayMs }) => pauses.push(delayMs) })
      .catch(() => undefined);
    expect(pauses).toEqual([30]);
  });

  it('gives up at once when Retry-After is above the cap or the time left', async () => {
    const busy = (ms: number) => Object.assign(new ConnectionError('busy'), { retryAfterMs: ms });
    const target = policy({ retry: { maxRetryAfterMs: 1_000 }, timeoutMs: 500 });
    await expect(target.execute(() => Promise.reject(busy(5_000)))).rejects.toMatchObject({ retryAfterMs: 5_000 });
    await expect(target.execute(() => Promise.reject(busy(800)))).rejects.toMatchObject({ retryAfterMs: 800 });
    expect(target.stats().attempts).toBe(2);
  });

  it('keeps retries within a tenth of the calls when everything fails', async () => {
    const target = policy({ retry: noPause, breaker: false });
    for (let i = 0; i < 1_000; i++) await target.execute(down).catch(() => undefined);
    const { calls, attempts } = target.stats();
    expect(calls).toBe(1_000);
    expect(attempts).toBeLessThanOrEqual(1_110);
    expect(attempts).toBeGreaterThanOrEqual(1_100);
  });

  it('saves up no more retries than the reserve holds, however long all went well', async () => {
    const target = policy({ retry: { ...noPause, budget: { reserve: 2 } }, breaker: false });
    for (let i = 0; i < 100; i++) await target.execute(() => 'ok');
    for (let i = 0; i < 5; i++) await target.execute(down).catch(() => undefined);
    expect(target.stats().attempts).toBe(100 + 5 + 2);
  });
});

describe('policy: time and cancellation', () => {
  it('ends an attempt at its time and tries again', async () => {
    const target = policy({ attemptTimeoutMs: 10, retry: noPause });
    const result = await target.execute(({ number }) => (number === 1 ? never() : 'second'));
    expect(result).toBe('second');
  });

  it('ends the whole call at its time, retries included', async () => {
    const clock = new ManualClock();
    const target = policy({
      clock,
      timeoutMs: 40,
      attemptTimeoutMs: 15,
      retry: { ...noPause, maxRetries: 100, budget: false },
    });
    const refused = expect(target.execute(never, { key: 'slow.example' })).rejects.toThrow(
      /^slow\.example did not finish within 40 ms$/,
    );
    await clock.advance(40);
    await refused;
  });

  it('aborts the signal the attempt was given', async () => {
    const controller = new AbortController();
    let inner: AbortSignal | undefined;
    const call = policy().execute(
      ({ signal }) => {
        inner = signal;
        return never();
      },
      { signal: controller.signal },
    );
    await sleep(5);
    controller.abort('stop');
    await expect(call).rejects.toBe('stop');
    expect(inner?.reason).toBe('stop');
  });

  it('is cancelled by the surrounding context', async () => {
    const call = withContext({ timeoutMs: 10 }, () => policy().execute(never));
    await expect(call).rejects.toBeInstanceOf(TimeoutError);
  });

  it('stops a pause between attempts', async () => {
    const controller = new AbortController();
    const target = policy({ retry: { baseDelayMs: 60_000, random: () => 0.5 } });
    const call = target.execute(down, {
      signal: controller.signal,
      onRetry: () => setImmediate(() => controller.abort('enough')),
    });
    await expect(call).rejects.toBe('enough');
  });

  it('leaves no listener on a long-lived signal, whatever the outcome', async () => {
    const { signal } = new AbortController();
    const target = policy({
      retry: noPause,
      limiter: { limit: 1_000, intervalMs: 1_000 },
      bulkhead: { maxConcurrent: 1 },
    });
    const outcomes: ((attempt: Attempt) => number)[] = [() => 1, down, ({ signal: inner }) => Number(inner.aborted)];
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => target.execute(outcomes[i % 3] ?? down, { signal }).catch(() => undefined)),
    );
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('policy: circuit breaker', () => {
  const failing = { retry: false, breaker: { minimumCalls: 20, openMs: 40 } } as const;
  const trip = async (target: ReturnType<typeof policy>, key: string, calls = 20): Promise<void> => {
    for (let i = 0; i < calls; i++) await target.execute(down, { key }).catch(() => undefined);
  };

  it('opens at half failed of at least twenty calls, per key', async () => {
    const target = policy(failing);
    for (let i = 0; i < 10; i++) await target.execute(() => 'ok', { key: 'a' });
    await trip(target, 'a', 9);
    expect(target.circuit('a')).toBe('closed');
    await trip(target, 'a', 1);
    expect(target.circuit('a')).toBe('open');
    await expect(target.execute(() => 'ok', { key: 'a' })).rejects.toBeInstanceOf(CircuitOpenError);
    await expect(target.execute(() => 'ok', { key: 'b' })).resolves.toBe('ok');
  });

  it('remembers a thousand targets, and forgets those that are well before those that are not', async () => {
    const target = policy({ retry: false, breaker: { minimumCalls: 20, openMs: 60_000 } });
    await trip(target, 'down');
    await trip(target, 'nearly down', 19);
    for (let i = 0; i < 998; i++) await target.execute(() => 'ok', { key: `well ${i}` });
    await trip(target, 'nearly down', 1);
    expect(target.circuit('nearly down')).toBe('open');
    await trip(target, 'well 0', 18);
    for (let i = 0; i < 1_000; i++) await target.execute(() => 'ok', { key: `other ${i}` });
    await trip(target, 'well 0', 2);
    expect([target.circuit('down'), target.circuit('well 0')]).toEqual(['open', 'closed']);
  });

  it('lets one trial call through after its time and closes on success', async () => {
    const target = policy(failing);
    await trip(target, 'a');
    await sleep(50);
    await expect(target.execute(() => 'well again', { key: 'a' })).resolves.toBe('well again');
    expect(target.circuit('a')).toBe('closed');
  });

  it('refuses the others while the trial call runs', async () => {
    const target = policy(failing);
    await trip(target, 'a');
    await sleep(50);
    let finish: (value: string) => void = () => undefined;
    const trial = target.execute(
      () =>
        new Promise<string>((resolve) => {
          finish = resolve;
        }),
      { key: 'a' },
    );
    await sleep(1);
    await expect(target.execute(() => 'me too', { key: 'a' })).rejects.toBeInstanceOf(CircuitOpenError);
    finish('well');
    await expect(trial).resolves.toBe('well');
    await expect(target.execute(() => 'me too', { key: 'a' })).resolves.toBe('me too');
  });

  it('lets the trial decide, not calls from before the circuit opened', async () => {
    const target = policy(failing);
    const ends: ((error: unknown) => void)[] = [];
    const settle = (index: number, error?: unknown): void => ends[index]?.(error);
    const held = (): Promise<string> =>
      new Promise((resolve, reject) => {
        ends.push((error) => (error ? reject(error) : resolve('ok')));
      });
    const early = target.execute(held, { key: 'a' });
    await trip(target, 'a');
    await sleep(50);
    const trial = target.execute(held, { key: 'a' });
    await sleep(1);
    settle(0, new ConnectionError('an old failure'));
    await expect(early).rejects.toBeInstanceOf(ConnectionError);
    settle(1);
    await expect(trial).resolves.toBe('ok');
    expect(target.circuit('a')).toBe('closed');
  });

  it('stays open when the trial call fails, and when its caller gives it up', async () => {
    const target = policy(failing);
    await trip(target, 'a');
    await sleep(50);
    await expect(target.execute(down, { key: 'a' })).rejects.toBeInstanceOf(ConnectionError);
    expect(target.circuit('a')).toBe('open');
    await sleep(50);
    const controller = new AbortController();
    const trial = target.execute(never, { key: 'a', signal: controller.signal });
    await sleep(5);
    expect(target.circuit('a')).toBe('half-open');
    controller.abort('never mind');
    await expect(trial).rejects.toBe('never mind');
    await sleep(0);
    expect(target.circuit('a')).toBe('open');
  });

  it('does not count refusals of its own, caller aborts and bad input as failures', async () => {
    const target = policy({ ...failing, limiter: { limit: 1, intervalMs: 60_000, maxWaitMs: 0 } });
    await target.execute(() => 1, { key: 'a' });
    for (let i = 0; i < 30; i++) await target.execute(() => 1, { key: 'a' }).catch(() => undefined);
    const other = policy(failing);
    for (let i = 0; i < 30; i++) {
      const controller = new AbortController();
      const call = other.execute(never, { key: 'a', signal: controller.signal });
      setImmediate(() => controller.abort('left'));
      await call.catch(() => undefined);
      await other.execute(() => Promise.reject(new ValidationError('x', [])), { key: 'a' }).catch(() => undefined);
    }
    expect([target.circuit('a'), other.circuit('a')]).toEqual(['closed', 'closed']);
  });

  it('does not hold a limiter that fails against the target', async () => {
    const limiter = { acquire: down, stats: () => ({ waiting: 0, granted: 0, refused: 0 }) };
    const target = policy({ ...failing, limiter });
    for (let i = 0; i < 30; i++) await target.execute(() => 1, { key: 'a' }).catch(() => undefined);
    expect(target.circuit('a')).toBe('closed');
  });

  it('counts attempts that ran out of time', async () => {
    const target = policy({ ...failing, attemptTimeoutMs: 1 });
    for (let i = 0; i < 20; i++) await target.execute(never, { key: 'a' }).catch(() => undefined);
    expect(target.circuit('a')).toBe('open');
  });

  it('does not retry into an open circuit', async () => {
    const target = policy({ retry: { ...noPause, budget: false }, breaker: { minimumCalls: 2, openMs: 60_000 } });
    await trip(target, 'a', 1);
    const before = target.stats().attempts;
    await expect(target.execute(() => 'ok', { key: 'a' })).rejects.toBeInstanceOf(CircuitOpenError);
    expect(target.stats().attempts).toBe(before);
  });
});

describe('policy: bulkhead and limiter', () => {
  it('runs no more calls at once than allowed, in order of arrival', async () => {
    const target = policy({ bulkhead: { maxConcurrent: 2 } });
    const order: number[] = [];
    let running = 0;
    let peak = 0;
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        target.execute(async () => {
          running += 1;
          peak = Math.max(peak, running);
          order.push(i);
          await sleep(2);
          running -= 1;
        }),
      ),
    );
    expect(peak).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('refuses what exceeds the line and gives aborted places back', async () => {
    const target = policy({ bulkhead: { maxConcurrent: 1, maxQueue: 1 }, retry: false });
    let finish: (value: string) => void = () => undefined;
    const first = target.execute(
      () =>
        new Promise<string>((resolve) => {
          finish = resolve;
        }),
    );
    await sleep(1);
    const controller = new AbortController();
    const second = target.execute(() => 'second', { signal: controller.signal });
    await sleep(1);
    await expect(target.execute(() => 'third')).rejects.toBeInstanceOf(QueueFullError);
    controller.abort('left the line');
    await expect(second).rejects.toBe('left the line');
    const fourth = target.execute(() => 'fourth');
    finish('first');
    await expect(Promise.all([first, fourth])).resolves.toEqual(['first', 'fourth']);
  });

  it('takes a token for every attempt', async () => {
    const target = policy({ retry: noPause, limiter: { limit: 2, intervalMs: 60_000, maxWaitMs: 5 } });
    await expect(target.execute(down)).rejects.toBeInstanceOf(RateLimitError);
    expect(target.stats()).toMatchObject({ attempts: 2, limiter: { granted: 2, refused: 1 } });
  });

  it('is cancelled in a limiter that does not look at the signal', async () => {
    const limiter = { acquire: never, stats: () => ({ waiting: 0, granted: 0, refused: 0 }) };
    await expect(policy({ limiter }).execute(() => 1, { timeoutMs: 10 })).rejects.toBeInstanceOf(TimeoutError);
  });

  it('waits in any limiter that has acquire', async () => {
    let asked = 0;
    const limiter = {
      acquire: async () => void (await Promise.resolve(asked++)),
      stats: () => ({ waiting: 0, granted: asked, refused: 0 }),
    };
    await policy({ limiter }).execute(() => 1);
    expect(asked).toBe(1);
  });
});

describe('policy: options', () => {
  it.each([
    [{ timeoutMs: -1 }, 'policy.timeoutMs'],
    [{ attemptTimeoutMs: Number.NaN }, 'policy.attemptTimeoutMs'],
    [{ retry: { maxRetries: -1 } }, 'policy.retry.maxRetries'],
    [{ retry: { budget: { ratio: 2 } } }, 'policy.retry.budget.ratio'],
    [{ breaker: { threshold: 1 } }, 'policy.breaker.threshold'],
    [{ limiter: { limit: Number.POSITIVE_INFINITY, intervalMs: 1 } }, 'policy.limiter.limit'],
    [{ breaker: { treshold: 0.5 } }, "did you mean 'threshold'"],
    [{ limiter: { limit: 0, intervalMs: 1 } }, 'policy.limiter.limit'],
    [{ bulkhead: {} as never }, 'policy.bulkhead.maxConcurrent'],
    [{ timeout: 5 } as never, "did you mean 'timeoutMs'"],
  ])('refuses %j', (options, text) => {
    expect(() => policy(options as never)).toThrow(ConfigurationError);
    expect(() => policy(options as never)).toThrow(text);
  });

  it.each([Number.NaN, -5])('refuses a timeoutMs of %s for one call', async (timeoutMs) => {
    await expect(policy().execute(() => 1, { timeoutMs })).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('switches every part off', async () => {
    const bare = policy({
      timeoutMs: false,
      attemptTimeoutMs: false,
      retry: false,
      breaker: false,
      limiter: false,
      bulkhead: false,
    });
    await expect(bare.execute(down)).rejects.toBeInstanceOf(ConnectionError);
    expect(bare.stats().attempts).toBe(1);
  });
});
