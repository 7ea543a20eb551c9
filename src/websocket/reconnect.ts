import { is, type OptionChecks } from '../core/internal.js';
import { type BackoffOptions, backoffChecks, fullJitter } from '../resilience/backoff.js';

/** How a connection that ended, or never came about, is tried again: after random, growing pauses. */
export interface ReconnectOptions extends BackoffOptions {
  /**
   * Attempts in a row before giving up, the first connection not counted.
   *
   * @default Infinity; 5 in the positional form
   */
  readonly maxAttempts?: number;
  /** The first pause is drawn from 0 to this, in milliseconds. It doubles with each attempt. @default 1000 */
  readonly baseDelayMs?: number;
  /** No pause is drawn above this, in milliseconds. @default 30000 */
  readonly maxDelayMs?: number;
  /** A connection that held this long was good: counting begins anew, in milliseconds. @default 5000 */
  readonly stableMs?: number;
}

export const reconnectChecks: OptionChecks<ReconnectOptions> = {
  ...backoffChecks,
  maxAttempts: is.count,
  stableMs: is.milliseconds,
};

const longestDelayMs = 30_000;

/** Milliseconds before attempt number `attempt` (from 1) to get the connection back; undefined when there is none left. */
export function reconnectDelay(options: ReconnectOptions, attempt: number): number | undefined {
  const { maxAttempts = Number.POSITIVE_INFINITY, baseDelayMs = 1_000, ...rest } = options;
  if (attempt > maxAttempts) return undefined;
  // Far beyond any cap, where doubling would overflow to Infinity, and 0 times that is NaN.
  return fullJitter(Math.min(attempt, 64), longestDelayMs, { ...rest, baseDelayMs });
}
