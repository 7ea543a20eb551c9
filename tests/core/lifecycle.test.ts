import { setTimeout as sleep } from 'node:timers/promises';
import { ClosedError, ConfigurationError, Lifecycle, TimeoutError } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';

const nothing = async (): Promise<void> => undefined;

describe('Lifecycle', () => {
  it('lets running calls finish before it releases', async () => {
    const life = new Lifecycle('Store');
    const order: string[] = [];
    const call = life.call('read', {}, async () => {
      await sleep(20);
      order.push('call');
    });
    await life.close({}, async () => void order.push('release'));
    await call;
    expect(order).toEqual(['call', 'release']);
  });

  it('counts a call that was entered as running until its scope is disposed', async () => {
    const life = new Lifecycle('Store');
    const scope = life.enter('read', {});
    expect(life.running).toBe(1);
    let released = false;
    const closing = life.close({}, () => {
      released = true;
    });
    expect(() => life.enter('read', {})).toThrow(ClosedError);
    await sleep(10);
    expect([released, scope.cancelled]).toEqual([false, false]);
    scope[Symbol.dispose]();
    await closing;
    expect([released, life.running]).toEqual([true, 0]);
  });

  it('cancels a call that was entered when closing leaves it no time', async () => {
    const life = new Lifecycle('Store');
    using scope = life.enter('read', {});
    await life.close({ timeoutMs: 0 }, nothing);
    expect(scope.reason).toBeInstanceOf(ClosedError);
  });

  it('refuses calls from the moment close is called', async () => {
    const life = new Lifecycle('Store');
    const closing = life.close({}, nothing);
    await expect(life.call('read', {}, nothing)).rejects.toBeInstanceOf(ClosedError);
    await closing;
  });

  it('cancels calls that do not finish by the deadline, and still releases', async () => {
    const life = new Lifecycle('Store');
    const stuck = life.call('read', {}, () => new Promise(() => undefined));
    let released = false;
    const closing = life.close({ timeoutMs: 20 }, () => {
      released = true;
    });
    await expect(stuck).rejects.toBeInstanceOf(ClosedError);
    await closing.catch(() => undefined);
    expect(released).toBe(true);
  });

  it('settles by the deadline when releasing hangs', async () => {
    const life = new Lifecycle('Store');
    await expect(life.close({ timeoutMs: 20 }, () => new Promise(() => undefined))).rejects.toBeInstanceOf(
      TimeoutError,
    );
  });

  it('gives releasing the time that draining did not need, and a fifth when draining used all of it', async () => {
    const given: number[] = [];
    const note = (remainingMs: number): void => void given.push(remainingMs);
    await new Lifecycle('Idle').close({ timeoutMs: 60_000 }, note);
    const busy = new Lifecycle('Busy');
    const stuck = busy.call('read', {}, () => new Promise(() => undefined));
    await Promise.all([expect(stuck).rejects.toBeInstanceOf(ClosedError), busy.close({ timeoutMs: 500 }, note)]);
    expect(given[0]).toBeGreaterThan(40_000);
    expect(given[1]).toBeGreaterThan(0);
    expect(given[1]).toBeLessThanOrEqual(100);
  });

  it.each([0, 1])('releases although %s ms are no time to drain', async (timeoutMs) => {
    const life = new Lifecycle('Store');
    const stuck = life.call('read', {}, () => new Promise(() => undefined));
    let released = false;
    const closing = life.close({ timeoutMs }, () => {
      released = true;
    });
    await expect(stuck).rejects.toBeInstanceOf(ClosedError);
    await closing;
    expect(released).toBe(true);
  });

  it('waits as long as it takes when told to', async () => {
    const life = new Lifecycle('Store');
    const call = life.call('read', {}, () => sleep(20));
    let released = false;
    await life.close({ timeoutMs: Number.POSITIVE_INFINITY }, () => {
      released = true;
    });
    await call;
    expect(released).toBe(true);
  });

  it.each([Number.NaN, -1])('stays open when asked to close within %s ms', async (timeoutMs) => {
    const life = new Lifecycle('Store');
    await expect(life.close({ timeoutMs }, nothing)).rejects.toBeInstanceOf(ConfigurationError);
    expect(life.closed).toBe(false);
    await life.close({}, nothing);
  });

  it('closes once', async () => {
    const life = new Lifecycle('Store');
    let times = 0;
    const release = (): void => {
      times += 1;
    };
    await Promise.all([life.close({}, release), life.close({}, release)]);
    await life.close({}, release);
    expect(times).toBe(1);
  });
});
