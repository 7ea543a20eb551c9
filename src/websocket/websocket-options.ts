import type { Clock, StandardSchemaV1, TelemetryOptions } from '../core/index.js';
import type { ClosePolicy } from './close-policy.js';
import type { Codec } from './codec.js';
import type { Correlation } from './correlation.js';
import type { Fresh } from './fresh.js';
import type { HeartbeatOptions } from './heartbeat.js';
import type { MessageBufferOptions } from './message-stream.js';
import type { ReconnectOptions } from './reconnect.js';
import type { SendQueueOptions } from './send-queue.js';
import type { WaterMarks } from './water-marks.js';
import type { WSClientOptions } from './ws-options.js';

/** Settings of a `WebSocketIntegration` that do not depend on its messages. */
export interface WebSocketSettings<In = unknown, Out = unknown> {
  /** `ws:`, `wss:` or `ws+unix:`, without a fragment. A function is asked for it at each attempt. */
  readonly url: Fresh<string | URL>;
  /** Subprotocols to offer; the server must choose one of them. @default none */
  readonly protocols?: string | readonly string[];
  /** Sent with the handshake. A function is asked for them at each attempt. */
  readonly headers?: Fresh<Readonly<Record<string, string | undefined>>>;
  /** Sent as `Authorization: Bearer`. A function is asked for it at each attempt, so it may expire. */
  readonly token?: Fresh<string>;
  /** False: `connect` makes one attempt, and a connection that ends stays ended. */
  readonly reconnect?: ReconnectOptions | false;
  /** @default defaultClosePolicy */
  readonly closePolicy?: ClosePolicy;
  /** False: a peer that falls silent is not noticed. */
  readonly heartbeat?: HeartbeatOptions | false;
  readonly queue?: SendQueueOptions;
  /**
   * `highBytes`: with so much in the socket's buffer, messages wait in `queue`; `lowBytes`: until so
   * little is left.
   *
   * @default 1 MiB and 256 KiB
   */
  readonly backpressure?: Partial<WaterMarks>;
  /** Bounds of each `for await` loop. */
  readonly buffer?: MessageBufferOptions;
  /** The field that carries the id of `request` and its answer, or a way of your own. @default 'id' */
  readonly correlation?: string | Correlation<In, Out>;
  /** Time of one attempt, the functions above included, in milliseconds. @default 10000 */
  readonly handshakeTimeoutMs?: number;
  /** Time of a `request` that has none of its own, in milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
  /** Requests that wait for their answers at the same time. @default 10000 */
  readonly maxRequests?: number;
  /** Longest message, both ways, in bytes. The server's longer one ends the connection with 1009. @default 10485760 (10 MiB) */
  readonly maxPayloadBytes?: number;
  /** Passed through to `ws`. */
  readonly ws?: WSClientOptions;
  /** As it reads in health reports, errors and logs. @default the host of `url` */
  readonly name?: string;
  readonly telemetry?: TelemetryOptions;
  /** For tests. @default the machine's */
  readonly clock?: Clock;
}

/** {@link WebSocketSettings} with what turns frames into messages. */
export interface WebSocketIntegrationOptions<In = unknown, Out = unknown> extends WebSocketSettings<In, Out> {
  /** @default jsonCodec */
  readonly codec?: Codec<In, Out>;
}

/** As {@link WebSocketIntegrationOptions}, with a schema for what arrives. */
export interface CheckedWebSocketOptions<In = unknown, Out = unknown> extends WebSocketSettings<In, Out> {
  /** @default jsonCodec */
  readonly codec?: Codec<unknown, Out>;
  /** What a message must be, after decoding; a synchronous one. Anything else is a `decodeError`, or rejects the request it answers. */
  readonly schema: StandardSchemaV1<unknown, In>;
}
