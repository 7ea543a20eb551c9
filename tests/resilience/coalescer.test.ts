import { setTimeout as sleep } from 'node:timers/promises';
import { withContext } from '@safla/sdk/core';
import { Coalescer } from '@safla/sdk/resilience';
import { describe, expect, it } from 'vitest';

describe('Coalescer', () => {
  it('runs the work once for callers at the same time, and again later', async () => {
    const shared = new Coalescer<number>();
    let times = 0;
    const work = async (): Promise<number> => {
      await sleep(5);
      times += 1;
      return times;
    };
    await expect(
      Promise.all([shared.run('k', work), shared.run('k', work), shared.run('other', work)]),
    ).resolves.toEqual([1, 1, 2]);
    await expect(shared.run('k', work)).resolves.toBe(3);
    expect(shared.size).toBe(0);
  });

  it('lets one caller leave without disturbing the others', async () => {
    const shared = new Coalescer<string>();
    const controller = new AbortController();
    const work = async (signal: AbortSignal): Promise<string> => {
      await sleep(20, undefined, { signal });
      return 'done';
    };
    const leaver = shared.run('k', work, { signal: controller.signal });
    const stayer = shared.run('k', work);
    controller.abort('left');
    await expect(leaver).rejects.toBe('left');
    await expect(stayer).resolves.toBe('done');
  });

  it('cancels the work when the last caller has left, and starts afresh for the next', async () => {
    const shared = new Coalescer<string>();
    let cancelled: AbortSignal | undefined;
    const stuck = (signal: AbortSignal): Promise<string> => {
      cancelled = signal;
      return new Promise(() => undefined);
    };
    await expect(shared.run('k', stuck, { timeoutMs: 5 })).rejects.toThrow('did not finish');
    expect(cancelled?.aborted).toBe(true);
    await expect(shared.run('k', async () => 'fresh')).resolves.toBe('fresh');
  });

  it('keeps its key, which may hold credentials, out of errors', async () => {
    const shared = new Coalescer<string>();
    const error = await shared
      .run('x-acme: s3cret', () => new Promise(() => undefined), { timeoutMs: 5 })
      .catch(String);
    expect(error).toContain('the shared call did not finish within 5 ms');
    expect(error).not.toContain('s3cret');
  });

  it('does not end the shared work with the context of its first caller', async () => {
    const shared = new Coalescer<string>();
    const work = async (signal: AbortSignal): Promise<string> => sleep(30, 'done', { signal });
    const first = withContext({ timeoutMs: 5 }, () => shared.run('k', work));
    const second = shared.run('k', work);
    await expect(first).rejects.toThrow('did not finish');
    await expect(second).resolves.toBe('done');
  });

  it('leaves the signal of work that is done alone', async () => {
    const shared = new Coalescer<void>();
    const signals: AbortSignal[] = [];
    await shared.run('k', async (signal) => void signals.push(signal));
    await shared.run('k', (signal) => Promise.reject(signals.push(signal))).catch(() => undefined);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  it('gives everybody the same failure', async () => {
    const shared = new Coalescer<string>();
    const work = async (): Promise<string> => {
      throw new Error('no');
    };
    const outcomes = await Promise.allSettled([shared.run('k', work), shared.run('k', work)]);
    expect(outcomes.map((o) => o.status)).toEqual(['rejected', 'rejected']);
  });
});
