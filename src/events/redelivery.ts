import { is, type OptionChecks } from '../core/internal.js';

/** What happens to an event whose handler failed. */
export interface RedeliveryOptions {
  /** Deliveries in all; after the last failure the event becomes a dead letter. @default 5 */
  readonly maxDeliveries?: number;
  /** The first pause is drawn from 0 to this, in milliseconds. @default 200 */
  readonly baseDelayMs?: number;
  /** No pause is drawn above this, in milliseconds. @default 30000 */
  readonly maxDelayMs?: number;
  /** A number from 0 to 1, for tests. @default Math.random */
  readonly random?: () => number;
}

export const redeliveryChecks: OptionChecks<RedeliveryOptions> = {
  maxDeliveries: is.count,
  baseDelayMs: is.countOrZero,
  maxDelayMs: is.countOrZero,
  random: is.function,
};

/**
 * Milliseconds before the next delivery: exponential backoff with full jitter (M. Brooker, "Exponential
 * Backoff And Jitter", AWS Architecture Blog, 2015). Undefined when `attempt` was the last.
 */
export function redeliveryDelay(options: RedeliveryOptions, attempt: number): number | undefined {
  const { maxDeliveries = 5, baseDelayMs = 200, maxDelayMs = 30_000, random = Math.random } = options;
  if (attempt >= maxDeliveries) return undefined;
  return random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
}
