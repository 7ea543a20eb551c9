import { PassThrough, Readable } from 'node:stream';
import { encodeJSON } from '../core/internal.js';
import type { HTTPBody } from '../drivers/http/index.js';

/** A body ready for the wire. */
export interface EncodedBody {
  readonly content: HTTPBody | undefined;
  /** What the content says of itself: its media type, the boundary of a form. */
  readonly headers: Readonly<Record<string, string>>;
  /** False for streams: once read, they cannot be sent again. */
  readonly replayable: boolean;
}

/**
 * Plain data becomes JSON. Texts, bytes, URLSearchParams, FormData, Blob and streams go as they are,
 * with the media type they carry, if any.
 *
 * @throws ValidationError with the path of what JSON would lose or change: BigInt, NaN, cycles, functions, Map, Set, Error
 */
export function encodeBody(body: unknown, subject: string): EncodedBody {
  if (body === undefined) return ready(undefined);
  if (typeof body === 'string') return ready(body, 'text/plain;charset=UTF-8');
  if (body instanceof URLSearchParams) return ready(body.toString(), 'application/x-www-form-urlencoded;charset=UTF-8');
  if (body instanceof Uint8Array) return ready(body);
  if (ArrayBuffer.isView(body)) return ready(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
  if (body instanceof ArrayBuffer) return ready(new Uint8Array(body));
  if (body instanceof FormData) return ready(body);
  if (body instanceof Blob) return ready(body, body.type || undefined);
  const stream = streamOf(body);
  return stream ?? ready(encodeJSON(body, `body of ${subject}`), 'application/json');
}

function ready(content: HTTPBody | undefined, type?: string): EncodedBody {
  return { content, headers: type === undefined ? {} : { 'content-type': type }, replayable: true };
}

interface StreamLike {
  pipe?(target: PassThrough): unknown;
  /** The npm package `form-data` tells its boundary so. */
  getHeaders?(): Record<string, string>;
}

function streamOf(body: unknown): EncodedBody | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { pipe, getHeaders } = body as StreamLike;
  const isNode = typeof pipe === 'function';
  if (!isNode && !(Symbol.asyncIterator in body)) return undefined;
  const content = isNode && !(body instanceof Readable) ? piped(body as StreamLike) : (body as HTTPBody);
  return { content, headers: typeof getHeaders === 'function' ? getHeaders.call(body) : {}, replayable: false };
}

/** Streams of the old style know no async iteration. */
function piped(body: StreamLike): PassThrough {
  const target = new PassThrough();
  body.pipe?.(target);
  return target;
}
