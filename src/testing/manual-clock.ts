import { type Clock, ConfigurationError } from '../core/index.js';

interface ManualTimer {
  readonly dueAt: number;
  readonly fn: () => void;
}

/**
 * A clock that a test moves by hand, so that waits take no time and end exactly when they should.
 *
 * @example
 * const clock = new ManualClock();
 * const cache = new Cache({ ttlMs: 60_000, clock });
 * await clock.advance(60_000);
 */
export class ManualClock implements Clock {
  /** In the order in which they were scheduled. */
  readonly #timers: Set<ManualTimer> = new Set();
  #now: number;

  /** @param startAt Milliseconds since the epoch. @default 0 */
  constructor(startAt: number = 0) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  /** Runs `fn` once time was advanced by `ms`; the returned function cancels it. Nothing runs in this call, also for 0, which less than 0 and NaN count as. */
  schedule(fn: () => void, ms: number): () => void {
    const timer: ManualTimer = { dueAt: this.#now + Math.max(0, ms || 0), fn };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** How many timers wait. 0 at the end of a test shows that nothing was left behind. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Moves time forward by `ms`. What is due on the way runs at its own time, earliest first and in
   * the order of scheduling; promises settle in between, so a timer that a continuation schedules
   * within the span runs too. Advance one step at a time: calls must not overlap.
   *
   * @throws ConfigurationError when `ms` is below 0 or not finite
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && Number.isFinite(ms))) {
      throw new ConfigurationError(`Time goes forward by 0 or more milliseconds, got ${ms}`, { field: 'ms' });
    }
    const end = this.#now + ms;
    await settled();
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.dueAt);
      timer.fn();
      await settled();
    }
    this.#now = end;
  }

  #next(end: number): ManualTimer | undefined {
    let first: ManualTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAt <= end && (!first || timer.dueAt < first.dueAt)) first = timer;
    }
    return first;
  }
}

/** All promise continuations that can run have run when a macrotask begins. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
