import type { Readable } from 'node:stream';

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
  /** Longest answer in bytes, counted after decompression. @default the transport's own limit */
  readonly maxResponseBytes?: number | undefined;
  /**
   * Asked before a redirect inside the origin is followed; `false` makes the redirect the answer. A
   * transport that follows redirects has to ask. @default all are followed
   */
  readonly mayFollow?: ((target: URL) => boolean) | undefined;
}

/** The answer, whatever its status. */
export interface HTTPResponse {
  readonly status: number;
  readonly headers: HTTPHeaders;
  /**
   * The decompressed content. Read it to the end or leave the loop early: until then it holds a
   * connection. Reading rejects with ProtocolError past `maxResponseBytes`. See `readBody`.
   */
  readonly body: AsyncIterable<Uint8Array>;
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
