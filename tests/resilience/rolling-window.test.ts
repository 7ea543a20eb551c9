import { describe, expect, it } from 'vitest';
import { RollingWindow } from '../../src/resilience/rolling-window.js';

describe('RollingWindow', () => {
  let now = 0;
  const clock = { now: () => now, schedule: () => () => undefined };

  it('forgets slot by slot, and everything after a quiet time', () => {
    now = 1_000_000;
    const window = new RollingWindow(1_000, clock);
    window.record(true);
    now += 500;
    window.record(false);
    expect(window.counts()).toEqual({ failures: 1, total: 2 });
    now += 600;
    expect(window.counts()).toEqual({ failures: 0, total: 1 });
    now += 3_600_000;
    expect(window.counts()).toEqual({ failures: 0, total: 0 });
  });

  it('survives a clock that is set back', () => {
    now = 1_000_000;
    const window = new RollingWindow(1_000, clock);
    window.record(true);
    now -= 500_000;
    window.record(true);
    expect(window.counts().total).toBe(2);
  });
});
