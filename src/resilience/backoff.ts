import { is, type OptionChecks } from '../core/internal.js';

/** How long to pause between attempts. */
export interface BackoffOptions {
  /** The first pause is drawn from 0 to this, in milliseconds. @default 200 */
  readonly baseDelayMs?: number;
  /** No pause is drawn above this, in milliseconds. @default 10000 for retries, 30000 for redelivery */
  readonly maxDelayMs?: number;
  /** A number from 0 to 1, for tests. @default Math.random */
  readonly random?: () => number;
}

export const backoffChecks: OptionChecks<BackoffOptions> = {
  baseDelayMs: is.countOrZero,
  maxDelayMs: is.countOrZero,
  random: is.function,
};

/**
 * Milliseconds to pause after `attempt` (from 1): exponential backoff with full jitter (M. Brooker,
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function fullJitter(attempt: number, longestMs: number, options: BackoffOptions): number {
  const { baseDelayMs = 200, maxDelayMs = longestMs, random = Math.random } = options;
  return random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
}
