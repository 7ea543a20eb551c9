import type { CallOptions } from '../core/index.js';

/** Settings of one {@link Limiter.acquire}. */
export interface AcquireOptions extends CallOptions {
  /** How many tokens the call takes. @default 1 */
  readonly cost?: number;
}

/** What a limiter has done so far. */
export interface LimiterStats {
  readonly waiting: number;
  readonly granted: number;
  readonly refused: number;
}

/**
 * Makes callers wait for their turn under a rate. `acquire` resolves when the call may go out. The
 * wait is bounded and can be aborted; an aborted waiter takes no token.
 */
export interface Limiter {
  /**
   * @throws RateLimitError when the turn would come later than the limiter lets callers wait
   * @throws QueueFullError when too many wait already
   */
  acquire(options?: AcquireOptions): Promise<void>;
  stats(): LimiterStats;
}

/** Bounds of waiting, the same for every limiter. */
export interface LimiterWaitOptions {
  /** How many callers may wait. @default 1000 */
  readonly maxQueue?: number;
  /** How long one may wait, in milliseconds. @default 30000 */
  readonly maxWaitMs?: number;
}
