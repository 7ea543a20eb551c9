import { is, type OptionChecks } from '../core/internal.js';
import type { BackoffOptions } from '../resilience/index.js';

/** What happens to an event that does not fit into the buffer of a subscription. */
export type SubscriptionOverflow = 'reject' | 'drop-oldest' | 'drop-newest';

/** How a lost connection is opened again. */
export interface SubscriptionReconnectOptions extends Omit<BackoffOptions, 'random'> {
  /** Attempts in a row before subscriptions reject. A connection that was acknowledged begins the count anew. @default 10 */
  readonly maxAttempts?: number;
}

/** How subscriptions connect, wait and buffer. */
export interface SubscriptionOptions {
  /** `false` makes subscriptions reject when the connection is lost. @default 10 attempts, backoff with full jitter up to 30 seconds */
  readonly reconnect?: SubscriptionReconnectOptions | false;
  /** What goes as the payload of `connection_init`. @default the headers, by lower-case name */
  readonly connectionParams?: (headers: Readonly<Record<string, string>>) => Readonly<Record<string, unknown>>;
  /** For opening a connection, and again for its acknowledgement, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /**
   * A silent connection is asked for a sign of life this often, and given up when none comes in the same
   * time, in milliseconds; `false` waits for TCP to notice. @default 30000
   */
  readonly heartbeatMs?: number | false;
}

/** The buffer between the connection and one reader. */
export interface SubscriptionBuffer {
  /** Events that wait for the reader. @default 1000 */
  readonly maxItems?: number;
  /** Bytes of the messages they came in. @default 16777216 (16 MiB) */
  readonly maxBytes?: number;
  /** `reject` ends the subscription with QueueFullError after the reader got what had arrived. @default 'reject' */
  readonly overflow?: SubscriptionOverflow;
}

export const bufferChecks: OptionChecks<SubscriptionBuffer> = {
  maxItems: is.count,
  maxBytes: is.count,
  overflow: is.oneOf('reject', 'drop-oldest', 'drop-newest'),
};

const reconnectChecks: OptionChecks<SubscriptionReconnectOptions> = {
  maxAttempts: is.count,
  baseDelayMs: is.countOrZero,
  maxDelayMs: is.countOrZero,
};

export const subscriptionChecks: OptionChecks<SubscriptionOptions> = {
  reconnect: is.either('an object or false', is.oneOf(false), is.options(reconnectChecks)),
  connectionParams: is.function,
  connectTimeoutMs: is.milliseconds,
  heartbeatMs: is.either('milliseconds above 0, or false', is.oneOf(false), is.milliseconds),
};
