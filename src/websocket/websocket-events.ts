import type { FrameData } from './codec.js';
import type { Ending } from './ending.js';

/** What happens on a `WebSocketIntegration`. */
export interface WebSocketEvents<In = unknown> {
  /** The connection is open. */
  connected: [{ readonly reconnected: boolean }];
  /** A message that answers no request. */
  message: [In];
  /** An open connection ended. */
  disconnected: [Disconnected];
  /** An attempt failed, or an open connection broke. Nothing needs to listen. */
  error: [Error];
  /** The next attempt begins after a pause. */
  reconnecting: [{ readonly attempt: number; readonly delayMs: number; readonly error: Error }];
  /** All attempts failed; only `connect` tries again. */
  maxReconnectAttemptsReached: [{ readonly attempts: number; readonly error: Error }];
  /** A frame arrived that the codec or the schema refused. The connection goes on. */
  decodeError: [{ readonly data: FrameData; readonly error: unknown }];
  /** A function of yours threw or rejected: a listener, a close policy, the message of a subscription. Everything goes on. */
  handlerError: [{ readonly listenerOf: string; readonly error: unknown }];
  /** A message was lost on this side, for each one: a `send` that rejected (`out`) or a `for await` loop that was too slow (`in`). */
  dropped: [Dropped];
}

/** The end of an open connection. */
export interface Disconnected extends Ending {
  /** Another attempt follows. */
  readonly willReconnect: boolean;
}

/** A message that was lost on this side. */
export interface Dropped {
  readonly direction: 'in' | 'out';
  /** Why: `QueueFullError`, `ValidationError`, `ConnectionError`, `ClosedError`, `TimeoutError`, or a `signal.reason`. */
  readonly error: unknown;
  /** What would have been sent; absent for what arrived or could not be encoded. */
  readonly data?: FrameData;
}
