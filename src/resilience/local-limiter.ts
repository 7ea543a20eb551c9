import { RateLimiter } from 'limiter';
import { type Clock, ConfigurationError } from '../core/index.js';
import { checkOptions, is, type OptionCheck, type OptionChecks } from '../core/internal.js';
import type { AcquireOptions, Limiter, LimiterStats, LimiterWaitOptions } from './limiter.js';
import { LimiterQueue } from './limiter-queue.js';

/** A rate for this process alone. */
export interface LocalLimiterOptions extends LimiterWaitOptions {
  /** Calls per interval, and the largest burst. */
  readonly limit: number;
  /** The interval in milliseconds. */
  readonly intervalMs: number;
  /** What is limited, as it reads in errors. @default 'rate limiter' */
  readonly name?: string;
  /** Drives the waiting, for tests. The rate itself follows the machine's monotonic clock. */
  readonly clock?: Clock;
}

function finite(check: OptionCheck): OptionCheck {
  return (value, field) => {
    check(value, field);
    if (value === Number.POSITIVE_INFINITY) throw new ConfigurationError(`${field} must be finite`, { field });
  };
}

/** Checks of {@link LocalLimiterOptions}, for owners that take them as an option of their own. */
export const localLimiterChecks: OptionChecks<LocalLimiterOptions> = {
  limit: is.required(finite(is.count)),
  intervalMs: is.required(finite(is.milliseconds)),
  maxQueue: is.countOrZero,
  maxWaitMs: is.countOrZero,
  name: is.text,
  clock: is.object,
};

/**
 * A token bucket in this process: it holds `limit` tokens and is refilled continuously, so up to twice
 * `limit` calls can fall into one interval after a quiet time. In front of it is a bounded line that
 * can be aborted. For a quota shared by processes use
 * `SharedLimiter`.
 *
 * @throws ConfigurationError
 * @example const limiter = new LocalLimiter({ limit: 50, intervalMs: 3_600_000 }); await limiter.acquire({ signal });
 */
export class LocalLimiter implements Limiter {
  readonly #limit: number;
  readonly #queue: LimiterQueue;

  constructor(options: LocalLimiterOptions) {
    checkOptions('LocalLimiter', options, localLimiterChecks);
    this.#limit = options.limit;
    const bucket = new RateLimiter({ tokensPerInterval: options.limit, interval: options.intervalMs });
    // A bucket that is short by a fraction of a millisecond would be asked again at once: wait at least one.
    const take = (cost: number): number => (bucket.tryRemoveTokens(cost) ? 0 : Math.max(1, bucket.getWaitTime(cost)));
    this.#queue = new LimiterQueue(options.name ?? 'rate limiter', take, options);
  }

  /** @throws ConfigurationError when `cost` can never be granted */
  async acquire(options: AcquireOptions = {}): Promise<void> {
    const cost = options.cost ?? 1;
    if (!(cost >= 0) || cost > this.#limit) {
      throw new ConfigurationError(`cost must be a number from 0 to the limit of ${this.#limit}, got ${cost}`, {
        field: 'cost',
      });
    }
    return this.#queue.acquire(options);
  }

  stats(): LimiterStats {
    return this.#queue.stats();
  }
}
