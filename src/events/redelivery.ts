import { is, type OptionChecks } from '../core/internal.js';
import { type BackoffOptions, backoffChecks, fullJitter } from '../resilience/backoff.js';

/** What happens to an event whose handler failed. */
export interface RedeliveryOptions extends BackoffOptions {
  /** Deliveries in all; after the last failure the event becomes a dead letter. @default 5 */
  readonly maxDeliveries?: number;
}

export const redeliveryChecks: OptionChecks<RedeliveryOptions> = { maxDeliveries: is.count, ...backoffChecks };

const longestDelayMs = 30_000;

/** After so many an event becomes a dead letter. */
export function mostDeliveries({ maxDeliveries = 5 }: RedeliveryOptions): number {
  return maxDeliveries;
}

/** Milliseconds before the next delivery; undefined when `attempt` was the last. */
export function redeliveryDelay(options: RedeliveryOptions, attempt: number): number | undefined {
  return attempt >= mostDeliveries(options) ? undefined : fullJitter(attempt, longestDelayMs, options);
}
