import type { WebSocketState } from './state.js';

/** Counters of a `WebSocketIntegration`, since it was made, and what it holds now. */
export interface WebSocketStats {
  readonly state: WebSocketState;
  /** Connections that opened. */
  readonly connections: number;
  /** Attempts in a row without a connection that held. */
  readonly failures: number;
  /** Messages handed to a connection. */
  readonly sent: number;
  /** Frames that arrived, whatever became of them. */
  readonly received: number;
  readonly receivedBytes: number;
  readonly decodeErrors: number;
  /** Messages that were lost on this side, as told by `dropped`. */
  readonly droppedOut: number;
  readonly droppedIn: number;
  /** What waits to be sent. */
  readonly queued: { readonly items: number; readonly bytes: number };
  /** Bytes in the socket's buffer. */
  readonly bufferedBytes: number;
  /** Requests that wait for their answers. */
  readonly requests: number;
  readonly subscriptions: number;
}
