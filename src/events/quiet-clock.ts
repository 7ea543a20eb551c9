import { type Clock, systemClock } from '../core/index.js';

/** The longest delay a timer of the platform can hold; longer ones would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

/** The machine's clock whose timers let the process end: for work in the background that nobody awaits. */
export const quietClock: Clock = {
  now: () => systemClock.now(),
  schedule(fn, ms) {
    const timer = setTimeout(fn, Math.min(Math.max(ms, 0), longestDelayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
