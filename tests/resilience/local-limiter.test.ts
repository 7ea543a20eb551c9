import { getEventListeners } from 'node:events';
import { ConfigurationError, QueueFullError, RateLimitError } from '@safla/sdk/core';
import { LimiterQueue, LocalLimiter } from '@safla/sdk/resilience';
import { describe, expect, it } from 'vitest';

const hourly = { limit: 2, intervalMs: 3_600_000 };

describe('LocalLimiter', () => {
  it('grants up to the limit at once', async () => {
    const limiter = new LocalLimiter(hourly);
    await limiter.acquire();
    await limiter.acquire();
    expect(limiter.stats()).toEqual({ waiting: 0, granted: 2, refused: 0 });
  });

  it('refuses at once, saying when, if the turn is further away than a call may wait', async () => {
    const limiter = new LocalLimiter({ ...hourly, name: 'api.example.com' });
    await limiter.acquire({ cost: 2 });
    const error = await limiter.acquire().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RateLimitError);
    expect((error as RateLimitError).retryAfterMs).toBeGreaterThan(1_000_000);
    expect((error as Error).message).toContain('api.example.com');
  });

  it('makes callers wait their turn in order', async () => {
    const limiter = new LocalLimiter({ limit: 1, intervalMs: 20 });
    const order: number[] = [];
    await Promise.all([1, 2, 3].map(async (n) => limiter.acquire().then(() => order.push(n))));
    expect(order).toEqual([1, 2, 3]);
  });

  it('gives nothing to a caller who left, and its turn to the next', async () => {
    const limiter = new LocalLimiter({ limit: 1, intervalMs: 40 });
    await limiter.acquire();
    const controller = new AbortController();
    const leaver = limiter.acquire({ signal: controller.signal });
    const stayer = limiter.acquire();
    controller.abort('gone');
    await expect(leaver).rejects.toBe('gone');
    await stayer;
    expect(limiter.stats()).toEqual({ waiting: 0, granted: 2, refused: 0 });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('takes no token for a caller whose signal was aborted before', async () => {
    const limiter = new LocalLimiter(hourly);
    await expect(limiter.acquire({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    await expect(limiter.acquire({ cost: 2 })).resolves.toBeUndefined();
  });

  it('bounds the line', async () => {
    const limiter = new LocalLimiter({ limit: 1, intervalMs: 200, maxQueue: 1 });
    await limiter.acquire();
    const waiting = limiter.acquire();
    await expect(limiter.acquire()).rejects.toBeInstanceOf(QueueFullError);
    await waiting;
  });

  it('refuses a caller whose wait exceeds the bound while in line', async () => {
    const limiter = new LocalLimiter({ limit: 1, intervalMs: 400, maxWaitMs: 500 });
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => limiter.acquire()));
    expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  });

  it('keeps to its rate over several intervals', async () => {
    const limiter = new LocalLimiter({ limit: 5, intervalMs: 50 });
    const started = performance.now();
    await Promise.all(Array.from({ length: 15 }, () => limiter.acquire()));
    expect(performance.now() - started).toBeGreaterThanOrEqual(95);
  });

  it.each([3, -1, Number.NaN])('refuses a cost of %s, which could never be granted', async (cost) => {
    await expect(new LocalLimiter(hourly).acquire({ cost })).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe('LimiterQueue over a source that answers later', () => {
  it('hands the tokens taken for a caller who left to the next in line', async () => {
    const answers: ((waitMs: number) => void)[] = [];
    const queue = new LimiterQueue('remote', () => new Promise<number>((resolve) => answers.push(resolve)), {});
    const controller = new AbortController();
    const leaver = queue.acquire({ signal: controller.signal });
    const stayer = queue.acquire();
    controller.abort('gone');
    await expect(leaver).rejects.toBe('gone');
    answers[0]?.(0);
    await stayer;
    expect(answers).toHaveLength(1);
  });

  it('serves those behind an expensive caller who left as soon as it is their turn', async () => {
    const queue = new LimiterQueue('remote', (cost) => (cost === 10 ? 60_000 : 0), { maxWaitMs: 60_000 });
    const controller = new AbortController();
    const expensive = queue.acquire({ cost: 10, signal: controller.signal });
    const cheap = queue.acquire({ cost: 1, timeoutMs: 5_000 });
    controller.abort('gone');
    await expect(expensive).rejects.toBe('gone');
    await expect(cheap).resolves.toBeUndefined();
  });

  it('gives nobody more than was asked for', async () => {
    const asked: number[] = [];
    const answers: ((waitMs: number) => void)[] = [];
    const queue = new LimiterQueue(
      'remote',
      (cost) => {
        asked.push(cost);
        return new Promise<number>((resolve) => answers.push(resolve));
      },
      {},
    );
    const controller = new AbortController();
    const leaver = queue.acquire({ cost: 1, signal: controller.signal });
    const expensive = queue.acquire({ cost: 90 });
    controller.abort('gone');
    await expect(leaver).rejects.toBe('gone');
    answers[0]?.(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toEqual([1, 90]);
    answers[1]?.(0);
    await expensive;
  });

  it('grants, refuses and fails without a line (maxQueue 0)', async () => {
    const answers = [async () => 0, async () => 50, () => Promise.reject(new Error('store down'))];
    const queue = new LimiterQueue('remote', () => answers.shift()?.() ?? 0, { maxQueue: 0 });
    await expect(queue.acquire()).resolves.toBeUndefined();
    await expect(queue.acquire()).rejects.toBeInstanceOf(QueueFullError);
    await expect(queue.acquire()).rejects.toThrow('store down');
  });

  it('gives the error of a source that fails to the caller it was asked for, and asks on for the others', async () => {
    let times = 0;
    const source = async (): Promise<number> => {
      times += 1;
      if (times === 1) throw new Error('store down');
      return 0;
    };
    const queue = new LimiterQueue('remote', source, {});
    const [first, second] = await Promise.allSettled([queue.acquire(), queue.acquire()]);
    expect(first).toMatchObject({ status: 'rejected', reason: new Error('store down') });
    expect(second?.status).toBe('fulfilled');
  });
});
