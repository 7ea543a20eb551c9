import { getEventListeners } from 'node:events';
import { CallScope, ConfigurationError, openScope, TimeoutError, withContext } from '@safla/sdk/core';
import { ManualClock } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';

const never = (): Promise<never> => new Promise(() => undefined);

describe('CallScope', () => {
  it('gives the result of work that settles in time', async () => {
    using scope = new CallScope('work', { timeoutMs: 5_000 });
    await expect(scope.run(async () => 42)).resolves.toBe(42);
    expect(scope.cancelled).toBe(false);
  });

  it("rejects with the caller's own reason when the signal aborts, though the work never settles", async () => {
    const controller = new AbortController();
    using scope = new CallScope('work', { signal: controller.signal });
    const result = scope.run(never);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    await expect(result).rejects.toBe(reason);
  });

  it('does not start work for a signal that was aborted before', async () => {
    using scope = new CallScope('work', { signal: AbortSignal.abort('gone') });
    let started = false;
    await expect(
      scope.run(() => {
        started = true;
      }),
    ).rejects.toBe('gone');
    expect(started).toBe(false);
  });

  it('rejects with TimeoutError naming the work and the limit', async () => {
    using scope = new CallScope('GET /slow', { timeoutMs: 5 });
    const error = await scope.run(never).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'TIMEOUT', retryable: true, timeoutMs: 5 });
    expect(String(error)).toContain('GET /slow');
  });

  it('turns work that throws synchronously into a rejection', async () => {
    using scope = new CallScope('work');
    await expect(
      scope.run(() => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
  });

  it('hands drivers a signal that aborts with the same reason, also when read late', () => {
    using early = new CallScope('work');
    const { signal } = early;
    early.cancel('why');
    expect(signal.reason).toBe('why');
    using late = new CallScope('work');
    late.cancel('why');
    expect(late.signal.aborted && late.signal.reason).toBe('why');
  });

  it('leaves no listener on a long-lived signal after 1,000 calls', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 1_000; i++) {
      using scope = openScope('work', { signal, timeoutMs: 1_000 });
      await scope.run(async () => scope.signal);
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('puts one listener on a signal however many calls share it', async () => {
    const controller = new AbortController();
    const calls = Array.from({ length: 50 }, () => {
      const scope = openScope('work', { signal: controller.signal });
      return scope.run(never).finally(() => scope[Symbol.dispose]());
    });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort('all');
    await expect(Promise.allSettled(calls)).resolves.toEqual(Array(50).fill({ status: 'rejected', reason: 'all' }));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('leaves a signal and the timers alone until somebody waits for the end', async () => {
    const { signal } = new AbortController();
    const clock = new ManualClock();
    using scope = new CallScope('work', { signal, timeoutMs: 1_000, clock });
    expect([scope.cancelled, scope.deadline - clock.now()]).toEqual([false, 1_000]);
    expect([getEventListeners(signal, 'abort').length, clock.pending]).toEqual([0, 0]);
    scope.onCancel(() => undefined);
    expect([getEventListeners(signal, 'abort').length, clock.pending]).toEqual([1, 1]);
  });

  it('knows that it ended though nobody waited for it', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    using late = new CallScope('slow', { timeoutMs: 100, clock });
    using left = new CallScope('left', { signal: controller.signal });
    using within = new CallScope('within', { parents: [left], timeoutMs: 60_000 });
    await clock.advance(100);
    controller.abort('gone');
    expect(late.reason).toBeInstanceOf(TimeoutError);
    expect(late.signal.reason).toBe(late.reason);
    expect([left.cancelled, left.reason, within.reason, within.signal.aborted]).toEqual([true, 'gone', 'gone', true]);
  });

  it('counts its time from when it was made, not from when somebody began to wait', async () => {
    const clock = new ManualClock();
    using scope = new CallScope('slow', { timeoutMs: 100, clock });
    await clock.advance(60);
    const ended = scope.run(never).catch((error: unknown) => error);
    await clock.advance(39);
    expect(scope.cancelled).toBe(false);
    await clock.advance(1);
    await expect(ended).resolves.toBeInstanceOf(TimeoutError);
  });

  it('waits for work that has begun, and for its failure though the scope has ended', async () => {
    using scope = new CallScope('work');
    await expect(scope.wait(Promise.resolve(42))).resolves.toBe(42);
    scope.cancel('over');
    await expect(scope.wait(Promise.reject(new Error('later')))).rejects.toBe('over');
  });

  it('releases what others tied to it once, also when they come late', () => {
    const released: string[] = [];
    const scope = new CallScope('work');
    scope.onDispose(() => released.push('first'));
    scope[Symbol.dispose]();
    scope[Symbol.dispose]();
    scope.onDispose(() => released.push('late'));
    expect(released).toEqual(['first', 'late']);
  });

  it('ends a child with its parent and keeps the shorter deadline', async () => {
    using parent = new CallScope('parent', { timeoutMs: 20 });
    using child = new CallScope('child', { timeoutMs: 60_000, parents: [parent] });
    expect(child.deadline).toBe(parent.deadline);
    expect(child.remainingMs).toBeLessThanOrEqual(20);
    await expect(child.run(never)).rejects.toThrow('parent did not finish within 20 ms');
  });

  it('does not let a child that ends disturb its parent', () => {
    using parent = new CallScope('parent');
    using child = new CallScope('child', { parents: [parent] });
    child.cancel('only me');
    expect(parent.cancelled).toBe(false);
  });

  it('limits by its own time what a finished context left running', async () => {
    let orphan: Promise<unknown> = Promise.resolve();
    await withContext({ timeoutMs: 60_000 }, () => {
      orphan = new Promise((resolve) => {
        setTimeout(() => {
          const scope = openScope('orphan', { timeoutMs: 10 });
          resolve(scope.run(never).catch((error: unknown) => [error, scope.deadline < Number.POSITIVE_INFINITY]));
        }, 10);
      });
    });
    await expect(orphan).resolves.toEqual([expect.any(TimeoutError), true]);
  });

  it('refuses what is no AbortSignal', () => {
    expect(() => new CallScope('work', { signal: new AbortController() as never })).toThrow(ConfigurationError);
  });

  it('stops sleeping when cancelled', async () => {
    using scope = new CallScope('nap');
    const sleep = scope.sleep(60_000);
    scope.cancel(new Error('wake up'));
    await expect(sleep).rejects.toThrow('wake up');
  });

  it.each([Number.NaN, -1, 0, '50'])('refuses a time limit of %j', (timeoutMs) => {
    expect(() => new CallScope('work', { timeoutMs: timeoutMs as number })).toThrow(ConfigurationError);
  });

  it('accepts limits longer than a timer can hold', async () => {
    using scope = new CallScope('work', { timeoutMs: 2 ** 40 });
    await scope.sleep(5);
    expect(scope.cancelled).toBe(false);
  });

  it('joins the active context', async () => {
    const outer = new AbortController();
    const seen = withContext({ signal: outer.signal }, async () => {
      using scope = openScope('inner call');
      await scope.run(never);
    });
    outer.abort('stop all');
    await expect(seen).rejects.toBe('stop all');
  });

  it('settles with work that was done in one turn, however long that took', async () => {
    using scope = new CallScope('a call', { timeoutMs: 5 });
    const busy = (): string => {
      const end = performance.now() + 20;
      while (performance.now() < end);
      return 'done';
    };
    await expect(scope.run(busy)).resolves.toBe('done');
  });
});
