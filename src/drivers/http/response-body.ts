import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { ProtocolError } from '../../core/index.js';

/** What is known of a body before it is read. */
export interface BodyFacts {
  /** The request, as it reads in errors. */
  readonly subject: string;
  /** The value of `content-encoding`, if any. */
  readonly encoding: string | undefined;
  readonly maxBytes: number;
}

/** Codings that {@link decodedBody} undoes, as `accept-encoding` lists them. */
export const acceptedEncodings = 'gzip, deflate, br';

/** More layers than anybody needs are an attack (CVE-2022-32206 in curl). */
const maxLayers = 3;

/** True when every coding of the list is one we undo. An answer with any other is handed on as it came. */
export function isDecodable(encoding: string | undefined): encoding is string {
  const layers = layersOf(encoding);
  return layers.length > 0 && layers.length <= maxLayers && layers.every((layer) => decoders[layer] !== undefined);
}

/**
 * The content without its codings, never more than `maxBytes` of it: what a bomb would unpack to is not
 * kept, the reading stops.
 *
 * @throws ProtocolError past the limit
 */
export async function* decodedBody(raw: Readable, { subject, encoding, maxBytes }: BodyFacts): AsyncGenerator<Buffer> {
  const source = isDecodable(encoding) ? await unpack(raw, layersOf(encoding)) : raw;
  let bytes = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(subject, maxBytes);
      yield chunk;
    }
  } finally {
    raw.destroy();
  }
}

/** Reads a body to its end. */
export async function readBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function tooLarge(subject: string, maxBytes: number): ProtocolError {
  return new ProtocolError(`${subject}: the answer is larger than ${maxBytes} bytes (maxResponseBytes)`);
}

type Decoder = (firstByte: number) => Transform;

const decoders: Readonly<Record<string, Decoder>> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  br: () => createBrotliDecompress(),
  // RFC 9110 section 8.4.1.2 means zlib by `deflate`; some servers send the bare format of RFC 1951.
  deflate: (firstByte) => ((firstByte & 0x0f) === 8 ? createInflate() : createInflateRaw()),
};

function layersOf(encoding: string | undefined): string[] {
  return (encoding ?? '')
    .toLowerCase()
    .split(',')
    .map((layer) => layer.trim())
    .filter((layer) => layer !== '' && layer !== 'identity');
}

/** The last coding applied is the first undone. */
async function unpack(raw: Readable, layers: string[]): Promise<Readable> {
  const firstByte = await peek(raw);
  // An empty body has nothing to undo, although its head names a coding.
  if (firstByte === undefined) return raw;
  let source: Readable = raw;
  for (const layer of layers.reverse()) {
    const decoder = decoders[layer]?.(firstByte);
    // Errors surface where the last stream is read.
    if (decoder) source = pipeline(source, decoder, () => undefined);
  }
  return source;
}

/** The first byte, left in the stream; undefined when there is none. */
async function peek(raw: Readable): Promise<number | undefined> {
  for (;;) {
    const chunk = raw.read() as Buffer | null;
    if (chunk !== null && chunk.length > 0) {
      raw.unshift(chunk);
      return chunk[0];
    }
    if (raw.readableEnded || raw.destroyed) {
      if (raw.errored) throw raw.errored;
      return undefined;
    }
    await new Promise<void>((resolve) => {
      const done = (): void => {
        for (const event of events) raw.off(event, done);
        resolve();
      };
      for (const event of events) raw.on(event, done);
    });
  }
}

const events = ['readable', 'end', 'error', 'close'] as const;
