import { ProtocolError } from '../../core/index.js';
import { invalid } from '../bytes.js';

/** Sealed bytes that can be read from any place: a file, an object store, a blob. */
export interface RangeReader {
  /** Length of all sealed bytes. */
  readonly size: number;
  /** The bytes from `offset` on: `length` of them. */
  read(offset: number, length: number, options: { readonly signal: AbortSignal }): Promise<Uint8Array>;
}

/** What we use of a `FileHandle` of `node:fs/promises`. */
export interface FileLike {
  stat(): Promise<{ readonly size: number }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** Where `openRange` reads: a reader, an open file, a Blob (`fs.openAsBlob`), or the bytes themselves. */
export type RangeSource = RangeReader | FileLike | Blob | Uint8Array;

/** @throws ValidationError when it is none of these */
export async function rangeReader(source: RangeSource): Promise<RangeReader> {
  if (source instanceof Uint8Array) {
    return { size: source.length, read: async (offset, length) => source.subarray(offset, offset + length) };
  }
  if (source instanceof Blob) {
    return {
      size: source.size,
      read: async (offset, length) => new Uint8Array(await source.slice(offset, offset + length).arrayBuffer()),
    };
  }
  if (typeof source === 'object' && source !== null && 'read' in source) {
    if ('stat' in source) return fileReader(source);
    if (Number.isSafeInteger(source.size) && source.size >= 0) return source;
  }
  throw invalid('source', 'must be { size, read }, a FileHandle, a Blob or a Uint8Array');
}

async function fileReader(file: FileLike): Promise<RangeReader> {
  const { size } = await file.stat();
  return {
    size,
    async read(offset, length) {
      const out = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(out, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return out.subarray(0, filled);
    },
  };
}

/** Reads exactly so much. @throws ProtocolError when the source gives something else */
export async function readExactly(
  reader: RangeReader,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const bytes = await reader.read(offset, length, { signal });
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
    throw new ProtocolError(`The source did not give the ${length} bytes at ${offset} that it was asked for`);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
