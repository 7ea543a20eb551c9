/** Time, so that tests can own it. `ManualClock` in `@safla/sdk/testing` is the other implementation. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `fn` after `ms` milliseconds; the returned function cancels it. */
  schedule(fn: () => void, ms: number): () => void;
}

/** The longest delay a timer of the platform can hold; longer ones would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

/** The machine's clock. Its timers keep the process alive, so use it for work somebody awaits. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(fn, ms) {
    const timer = timerOf(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** The machine's clock with timers that let the process end: for work in the background that nobody awaits. */
export const quietClock: Clock = {
  now: () => Date.now(),
  schedule(fn, ms) {
    const timer = timerOf(fn, ms).unref();
    return () => clearTimeout(timer);
  },
};

function timerOf(fn: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(fn, Math.min(Math.max(ms, 0), longestDelayMs));
}
