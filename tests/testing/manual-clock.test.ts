import { ConfigurationError } from '@safla/sdk/core';
import { ManualClock } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';

describe('ManualClock', () => {
  it('runs nothing until time is advanced, also for a delay of 0', async () => {
    const clock = new ManualClock(1_000);
    const ran: number[] = [];
    clock.schedule(() => ran.push(clock.now()), 0);
    expect(ran).toEqual([]);
    await clock.advance(0);
    expect(ran).toEqual([1_000]);
  });

  it('runs due timers earliest first, each at its own time, equal ones in the order of scheduling', async () => {
    const clock = new ManualClock();
    const ran: string[] = [];
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
      ['later', 51],
    ] as const) {
      clock.schedule(() => ran.push(`${name}@${clock.now()}`), ms);
    }
    await clock.advance(50);
    expect(ran).toEqual(['a@10', 'b1@20', 'b2@20', 'c@30']);
    expect(clock.now()).toBe(50);
    expect(clock.pending).toBe(1);
  });

  it('does not run a cancelled timer', async () => {
    const clock = new ManualClock();
    let ran = false;
    const cancel = clock.schedule(() => {
      ran = true;
    }, 5);
    cancel();
    await clock.advance(10);
    expect(ran).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it.each([-50, Number.NaN, Number.POSITIVE_INFINITY])('refuses to advance by %s ms', async (ms) => {
    const clock = new ManualClock(100);
    await expect(clock.advance(ms)).rejects.toThrow(ConfigurationError);
    expect(clock.now()).toBe(100);
  });

  it.each([-50, Number.NaN])('takes a delay of %s ms as 0', async (ms) => {
    const clock = new ManualClock();
    let ran = false;
    clock.schedule(() => {
      ran = true;
    }, ms);
    expect(ran).toBe(false);
    await clock.advance(0);
    expect(ran).toBe(true);
  });

  it('lets promises settle between timers, so that a loop of waits runs through in one advance', async () => {
    const clock = new ManualClock();
    const wait = (ms: number): Promise<void> => new Promise((resolve) => clock.schedule(resolve, ms));
    const seen: number[] = [];
    const loop = (async () => {
      for (let round = 0; round < 5; round++) {
        await wait(10);
        await Promise.resolve();
        seen.push(clock.now());
      }
    })();
    await clock.advance(45);
    expect(seen).toEqual([10, 20, 30, 40]);
    await clock.advance(5);
    await loop;
    expect(seen).toEqual([10, 20, 30, 40, 50]);
  });
});
