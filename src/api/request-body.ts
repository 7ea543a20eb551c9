import { PassThrough, Readable } from 'node:stream';
import { ValidationError } from '../core/index.js';
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
 * @throws ValidationError for what JSON cannot hold: BigInt, cycles, functions, Map and Set
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
  return stream ?? ready(toJSON(body, subject), 'application/json');
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

function toJSON(value: unknown, subject: string): string {
  let text: string | undefined;
  let reason = `a ${typeof value} has no form in JSON`;
  if (value instanceof Map || value instanceof Set) {
    reason = 'a Map or Set becomes {} in JSON; send an object or an array';
  } else {
    try {
      text = JSON.stringify(value);
    } catch (error) {
      // V8 spells the path of a cycle out over several lines, with the names of the properties.
      const isCycle = error instanceof TypeError && error.message.includes('circular');
      reason = isCycle ? 'it refers to itself' : 'a value in it has no form in JSON, such as a BigInt';
    }
  }
  if (text === undefined)
    throw new ValidationError(`body of ${subject}`, [{ path: [], message: `cannot be sent: ${reason}` }]);
  return text;
}
