import { pipeline, Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import { lazy } from '../../core/internal.js';
import type { IncomingBody } from './incoming-body.js';
import { tooLarge } from './response-body.js';
import type { HTTPContent } from './transport.js';

/** How packed content is read. */
export interface UnpackOptions {
  /** The value of `content-encoding`. */
  readonly encoding: string;
  /** Of the content without its codings. */
  readonly maxBytes: number;
  /** The request, as it reads in errors. */
  readonly subject: () => string;
  /** The typed error for what reading or unpacking threw. */
  readonly failure: (error: unknown) => unknown;
}

/** A coding: all at once, never past `maxOutputLength`, or as a stream. */
interface Coding {
  readonly unpack: (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>;
  readonly stream: () => Transform;
}

const loadZlib = lazy(() => import('node:zlib'));
type Zlib = Awaited<ReturnType<typeof loadZlib>>;

const gzip = (zlib: Zlib): Coding => ({ unpack: promisify(zlib.gunzip), stream: zlib.createGunzip });
const brotli = (zlib: Zlib): Coding => ({
  unpack: promisify(zlib.brotliDecompress),
  stream: zlib.createBrotliDecompress,
});

const codings: Readonly<Record<string, (zlib: Zlib, firstByte: number) => Coding>> = {
  gzip,
  'x-gzip': gzip,
  br: brotli,
  // RFC 9110 section 8.4.1.2 means zlib by `deflate`; some servers send the bare format of RFC 1951.
  deflate: (zlib, firstByte) =>
    (firstByte & 0x0f) === 8
      ? { unpack: promisify(zlib.inflate), stream: zlib.createInflate }
      : { unpack: promisify(zlib.inflateRaw), stream: zlib.createInflateRaw },
};

/** Codings that are undone, as `accept-encoding` lists them. */
export const acceptedEncodings = 'gzip, deflate, br';

/** More layers than anybody needs are an attack (CVE-2022-32206 in curl). */
const maxLayers = 3;

/** True when every coding of the list is one we undo. An answer with any other is handed on as it came. */
export function isDecodable(encoding: string | undefined): encoding is string {
  if (encoding === undefined) return false;
  const layers = layersOf(encoding);
  return layers.length > 0 && layers.length <= maxLayers && layers.every((layer) => codings[layer] !== undefined);
}

/** What packed content of at most `maxBytes` can take: what cannot be packed grows a little. */
export function packedBytes(maxBytes: number): number {
  return maxBytes + Math.ceil(maxBytes / 1_000) + 1_024;
}

/**
 * Content without its codings, never more than `maxBytes` of it: what a bomb would unpack to is not made.
 * Both ways of reading reject with ProtocolError past the limit.
 */
export class UnpackedContent implements HTTPContent {
  readonly #packed: IncomingBody;
  readonly #options: UnpackOptions;

  constructor(packed: IncomingBody, options: UnpackOptions) {
    this.#packed = packed;
    this.#options = options;
  }

  async bytes(): Promise<Uint8Array> {
    const { encoding, maxBytes } = this.#options;
    let bytes: Uint8Array = await this.#packed.bytes();
    // The last coding applied is the first undone.
    const layers = layersOf(encoding).reverse();
    const zlib = await loadZlib();
    for (const [index, layer] of layers.entries()) {
      const [firstByte] = bytes;
      // An empty body has nothing to undo, although its head names a coding.
      if (firstByte === undefined) break;
      const maxOutputLength = index === layers.length - 1 ? maxBytes : packedBytes(maxBytes);
      try {
        bytes = (await codings[layer]?.(zlib, firstByte).unpack(bytes, { maxOutputLength })) ?? bytes;
      } catch (error) {
        throw this.#failure(error);
      }
    }
    return bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { encoding, maxBytes, subject } = this.#options;
    const packed = this.#packed[Symbol.asyncIterator]();
    const first = await packed.next();
    if (first.done) return;
    const zlib = await loadZlib();
    let source = Readable.from(continued(first.value, packed), { objectMode: false });
    for (const layer of layersOf(encoding).reverse()) {
      const coding = codings[layer]?.(zlib, first.value[0] ?? 0);
      // Errors surface where the last stream is read.
      if (coding) source = pipeline(source, coding.stream(), () => undefined);
    }
    let bytes = 0;
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) throw tooLarge(subject(), maxBytes);
        yield chunk;
      }
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): unknown {
    const { maxBytes, subject, failure } = this.#options;
    const isBomb = (error as { code?: unknown } | undefined)?.code === 'ERR_BUFFER_TOO_LARGE';
    return isBomb ? tooLarge(subject(), maxBytes) : failure(error);
  }
}

async function* continued(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function layersOf(encoding: string): string[] {
  return encoding
    .toLowerCase()
    .split(',')
    .map((layer) => layer.trim())
    .filter((layer) => layer !== '' && layer !== 'identity');
}
