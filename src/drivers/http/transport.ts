import type { Readable } from 'node:stream';
import type { AddressGuard } from './guard/index.js';

/** Header fields of an answer by lower-case name. `set-cookie` is always an array. */
export type HTTPHeaders = Readonly<Record<string, string | readonly string[]>>;

/** What can be sent. Streams can be sent once; everything else as often as needed. */
export type HTTPBody =
  | string
  | Uint8Array
  | Blob
  | FormData
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

/** Tells when a request is no longer wanted. A `CallScope` is one. */
export interface Cancellation {
  readonly cancelled: boolean;
  readonly reason: unknown;
  /** Calls `listener` once, at once if it is cancelled. The returned function takes it back. */
  onCancel(listener: (reason: unknown) => void): () => void;
}

/** Content as it comes in. */
export interface HTTPContent extends AsyncIterable<Uint8Array> {
  /** All of it, for readers who want no pieces. */
  bytes?(): Promise<Uint8Array>;
}

/** One request as it goes out. */
export interface HTTPRequest {
  readonly method: string;
  /** Absolute, `http:` or `https:`. */
  readonly url: string;
  /** By lower-case name. The transport adds what it needs: `host`, lengths, `accept-encoding`, the boundary of a form. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: HTTPBody | undefined;
  /** Ends the request and the reading of its answer; both then reject with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Says the same as `signal`, for less: a transport that follows it need not read `signal`, which may be made then. */
  readonly cancellation?: Cancellation | undefined;
  /** Longest answer in bytes, counted after decompression. @default the transport's own limit */
  readonly maxResponseBytes?: number | undefined;
  /**
   * Asked before a redirect is followed; `false` makes the redirect the answer. A transport that follows
   * redirects has to ask, and to another origin it takes no header along but what negotiates content.
   * @default those inside the origin are followed
   */
  readonly mayFollow?: ((target: URL, from: URL) => boolean) | undefined;
  /**
   * Asked for every URL before a connection to it is used, redirects included. Where it gives a guard,
   * the transport calls `guard.check(url)` and opens the connection with `guard.lookup`, and shares it with
   * no request that has another guard or none. @default no URL is guarded
   */
  readonly guardFor?: ((url: URL) => AddressGuard | undefined) | undefined;
}

/** The answer, whatever its status. */
export interface HTTPResponse {
  readonly status: number;
  readonly headers: HTTPHeaders;
  /**
   * The decompressed content. Read it to the end or leave the loop early: until then it holds a
   * connection. Reading rejects with ProtocolError past `maxResponseBytes`. See `readBody`.
   */
  readonly body: HTTPContent;
  /** True when redirects were followed: it is the answer of another URL than was asked. */
  readonly redirected?: boolean;
}

/**
 * Sends HTTP requests: the one part of the SDK that touches the wire for REST, GraphQL and key sets.
 * Implement it to go through a proxy or a recording; everything above stays the same.
 */
export interface HTTPTransport {
  /**
   * Resolves when the head of the answer is there, for every status.
   *
   * @throws ConnectionError TimeoutError ProtocolError ClosedError, or the signal's reason
   */
  send(request: HTTPRequest): Promise<HTTPResponse>;
  /** Closes idle connections and lets running requests finish. Idempotent. */
  close(): Promise<void>;
}
