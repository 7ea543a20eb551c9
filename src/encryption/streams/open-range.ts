import type { CallScope } from '../../core/index.js';
import { invalid } from '../bytes.js';
import { chunkBytes, sealedChunkBytes, tagBytes } from '../chunked/chunk-cipher.js';
import { chunkCipherOf } from '../chunked/chunked-opener.js';
import { prefixBytes } from '../chunked/message-key.js';
import { DecryptError } from '../decrypt-error.js';
import { breathe, sliceBytes } from '../messages/breathe.js';
import { readHeader, type SealedHeader, suites } from '../sealed-header.js';
import type { OpeningKeyOf } from './open-stage.js';
import { type RangeReader, readExactly } from './range-source.js';

const subject = 'the stream';
/** Enough for header and prefix with a local keyring; longer headers take a second read. */
const firstRead = 512;
/** Chunks read and opened at once. */
const batch = sliceBytes / chunkBytes;

/** A part of a plaintext: from `start`, up to and without `end`. */
export interface PlainRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Opens a part of a sealed stream by reading header, last chunk and the chunks it lies in. The last chunk
 * is opened first, so the length is authentic: a stream that was cut is refused wherever the part lies.
 */
export async function openPlainRange(
  reader: RangeReader,
  range: PlainRange,
  keyOf: OpeningKeyOf,
  scope: CallScope,
): Promise<Buffer> {
  const { header, prefix } = await readStart(reader, scope);
  const { key, binding } = await keyOf(header);
  const cipher = chunkCipherOf(key, binding, prefix, subject);
  try {
    const bodyAt = header.bytes.length + prefixBytes;
    const bodyBytes = reader.size - bodyAt;
    const last = Math.floor(bodyBytes / sealedChunkBytes);
    const lastBytes = bodyBytes - last * sealedChunkBytes;
    if (lastBytes < tagBytes) throw new DecryptError(subject);
    const read = (chunk: number, chunks: number): Promise<Buffer> => {
      const length = Math.min(chunks * sealedChunkBytes, bodyBytes - chunk * sealedChunkBytes);
      return readExactly(reader, bodyAt + chunk * sealedChunkBytes, length, scope.signal);
    };
    const tail = cipher.open(last, await read(last, 1));
    const size = last * chunkBytes + tail.length;
    const start = Math.min(range.start, size);
    const end = Math.max(start, Math.min(range.end, size));
    const out = Buffer.alloc(end - start);
    const put = (chunk: number, plain: Buffer): void => {
      const from = chunk * chunkBytes;
      plain.copy(out, Math.max(from - start, 0), Math.max(start - from, 0), Math.min(end - from, plain.length));
    };
    const stop = Math.min(Math.ceil(end / chunkBytes), last);
    for (let chunk = Math.floor(start / chunkBytes); chunk < stop; chunk += batch) {
      const count = Math.min(batch, stop - chunk);
      const sealed = await read(chunk, count);
      for (let i = 0; i < count; i++) {
        put(chunk + i, cipher.open(chunk + i, sealed.subarray(i * sealedChunkBytes, (i + 1) * sealedChunkBytes)));
      }
      await breathe(scope);
    }
    if (end > last * chunkBytes) put(last, tail);
    return out;
  } finally {
    cipher.wipe();
  }
}

/** @throws ValidationError */
export function rangeOf(start: number = 0, end: number = Number.POSITIVE_INFINITY): PlainRange {
  if (!Number.isSafeInteger(start) || start < 0) throw invalid('start', 'must be a whole number, 0 or more');
  if (end !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(end) || end < start)) {
    throw invalid('end', 'must be a whole number, not below start');
  }
  return { start, end };
}

async function readStart(
  reader: RangeReader,
  scope: CallScope,
): Promise<{ readonly header: SealedHeader; readonly prefix: Buffer }> {
  let bytes = await readExactly(reader, 0, Math.min(firstRead, reader.size), scope.signal);
  for (;;) {
    const header = readHeader(bytes, subject);
    if (!('needs' in header) && header.suite !== suites.chunked) throw new DecryptError(subject);
    const needs = 'needs' in header ? header.needs : header.bytes.length + prefixBytes;
    if (!('needs' in header) && bytes.length >= needs) {
      return { header, prefix: bytes.subarray(header.bytes.length, needs) };
    }
    if (reader.size < needs) throw new DecryptError(subject);
    bytes = await readExactly(reader, 0, needs, scope.signal);
  }
}
