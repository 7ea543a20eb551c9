import type { EventEmitter } from 'node:events';
import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';

/** What passes through to `ws`, the WebSocket library below. Its own `ClientOptions` fit here. */
export interface WSClientOptions extends SecureContextOptions {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly origin?: string | undefined;
  /** For proxies. */
  readonly agent?: Agent | undefined;
  /** Compression of messages. It costs far more time than it saves on small messages. @default false */
  readonly perMessageDeflate?: boolean | object | undefined;
  /** Longest message that is taken, in bytes. @default the `maxPayloadBytes` of the integration */
  readonly maxPayload?: number | undefined;
  readonly handshakeTimeout?: number | undefined;
  readonly followRedirects?: boolean | undefined;
  readonly maxRedirects?: number | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
  readonly servername?: string | undefined;
  readonly family?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly protocolVersion?: number | undefined;
  readonly skipUTF8Validation?: boolean | undefined;
  readonly createConnection?: ((...args: never[]) => Duplex) | undefined;
}

/** The WebSocket of `ws` itself, for what has no call here. Closing it is the integration's: it would be opened again. */
export interface WSClient extends EventEmitter {
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly extensions: string;
  /** The subprotocol that the server chose; empty for none. */
  readonly protocol: string;
  ping(data?: string | Uint8Array): void;
  terminate(): void;
}
