import { CallScope, ConnectionError, openScope, QueueFullError } from '@safla/sdk/core';
import { type Gate, LimiterQueue, policy } from '@safla/sdk/resilience';
import { describe, expect, it } from 'vitest';

/** A gate with room for `room` attempts. */
function gateFor(room: number): Gate & { inside: number; entered: number } {
  return {
    inside: 0,
    entered: 0,
    enter(scope) {
      this.entered += 1;
      if (this.inside >= room) return scope.run(() => Promise.reject(new QueueFullError('the gate', `${room} items`)));
      this.inside += 1;
      return undefined;
    },
    leave() {
      this.inside -= 1;
    },
  };
}

describe('a gate', () => {
  it('is passed by every attempt and left after each, also when it fails', async () => {
    const gate = gateFor(1);
    const work = ({ number }: { number: number }): number => {
      expect(gate.inside).toBe(1);
      if (number < 3) throw new ConnectionError('down');
      return number;
    };
    expect(await policy({ retry: { baseDelayMs: 0 } }).execute(work, { gate })).toBe(3);
    expect([gate.inside, gate.entered]).toEqual([0, 3]);
  });

  it('that refuses sends nothing, is not left, and is neither retried nor held against the target', async () => {
    const gate = gateFor(0);
    const careful = policy({ breaker: { minimumCalls: 1 } });
    for (let call = 0; call < 3; call++) {
      await expect(careful.execute(() => 'sent', { gate, key: 'a' })).rejects.toBeInstanceOf(QueueFullError);
    }
    expect([gate.inside, gate.entered, careful.stats().attempts, careful.circuit('a')]).toEqual([0, 3, 0, 'closed']);
  });

  it('is left by an attempt that the limiter refuses', async () => {
    const gate = gateFor(1);
    const limited = policy({ limiter: { limit: 1, intervalMs: 3_600_000, maxWaitMs: 0 } });
    await limited.execute(() => 1, { gate });
    await expect(limited.execute(() => 2, { gate })).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(gate.inside).toBe(0);
  });
});

describe('a scope that is open already', () => {
  it('bounds the call in the place of one of its own, and is not disposed of', async () => {
    using scope = new CallScope('the outer call', { timeoutMs: 60_000 });
    const pending = policy().execute(() => new Promise(() => undefined), { scope, timeoutMs: 1 });
    scope.cancel('enough');
    await expect(pending).rejects.toBe('enough');
    using other = openScope('another', {});
    expect(await policy().execute(({ cancelled }) => cancelled, { scope: other })).toBe(false);
    let told: unknown;
    other.onCancel((reason) => {
      told = reason;
    });
    other.cancel('still listened to');
    expect(told).toBe('still listened to');
  });

  it('tells an attempt of its end without a signal', async () => {
    using scope = new CallScope('the outer call', {});
    const told: unknown[] = [];
    const pending = policy().execute(
      (attempt) => {
        attempt.onCancel((reason) => told.push(reason, attempt.cancelled, attempt.reason));
        return new Promise(() => undefined);
      },
      { scope },
    );
    await Promise.resolve();
    scope.cancel('enough');
    await expect(pending).rejects.toBe('enough');
    expect(told).toEqual(['enough', true, 'enough']);
  });
});

describe('LimiterQueue', () => {
  it('gives tokens back that came for somebody who has left, and only what nobody can use', async () => {
    const answers: ((waitMs: number) => void)[] = [];
    const back: number[] = [];
    const queue = new LimiterQueue('remote', () => new Promise<number>((resolve) => answers.push(resolve)), {
      giveBack: (cost) => back.push(cost),
    });
    const controller = new AbortController();
    const first = queue.acquire({ cost: 3, signal: controller.signal });
    controller.abort('gone');
    await expect(first).rejects.toBe('gone');
    answers.shift()?.(0);
    await expect.poll(() => back).toEqual([3]);

    const second = new AbortController();
    const left = queue.acquire({ cost: 3, signal: second.signal });
    const stays = queue.acquire({ cost: 2 });
    second.abort('gone');
    await expect(left).rejects.toBe('gone');
    answers.shift()?.(0);
    await stays;
    expect(back).toEqual([3, 1]);
  });

  it('grants a cost of 0 like any other', async () => {
    const queue = new LimiterQueue('remote', async () => 0, {});
    await queue.acquire({ cost: 0 });
    expect(queue.stats()).toEqual({ waiting: 0, granted: 1, refused: 0 });
  });

  it('asks again at once when told to', async () => {
    let waitMs = 3_600_000;
    const queue = new LimiterQueue('remote', () => waitMs, { maxWaitMs: 7_200_000 });
    const waiting = queue.acquire();
    await expect.poll(() => queue.stats().waiting).toBe(1);
    waitMs = 0;
    queue.recheck();
    await waiting;
  });
});
