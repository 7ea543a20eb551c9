import { type FileHandle, open } from 'node:fs/promises';
import { MemoryStorageError, storageFailure } from '../../memory-storage-error.js';
import { decodeHeader, type FileHeader } from './file-header.js';
import { type FrameRead, readFrame } from './frame.js';

/** A file as far as it was read. */
export interface FileFrames {
  readonly header: FileHeader;
  /** The header as it stands in the file. */
  readonly headerBytes: Buffer;
  /** Payloads behind the header. */
  readonly frames: number;
  /** Bytes of whole frames: what follows is the rest of an unfinished write. */
  readonly bytes: number;
}

const chunkBytes = 8 * 2 ** 20;

/**
 * Reads a file frame by frame. `use` gets each payload behind the header, a view that is valid until
 * it returns.
 *
 * @throws MemoryStorageError `damaged` where whole frames follow one that is not, `foreign` for other files
 */
export async function readFrames(
  path: string,
  check: (header: FileHeader) => void,
  use: (payload: Buffer, file: Pick<FileFrames, 'header' | 'headerBytes'>, place: number) => Promise<void>,
): Promise<FileFrames> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw storageFailure('Cannot read', path, error);
  });
  try {
    const frames = new FrameReader(handle, path);
    const first = await frames.next();
    if (!first) throw new MemoryStorageError('foreign', `${path} is not a file of a LocalVectorMemory`);
    const headerBytes = Buffer.from(first);
    const header = decodeHeader(headerBytes, path);
    check(header);
    let count = 0;
    for (let payload = await frames.next(); payload; payload = await frames.next()) {
      await use(payload, { header, headerBytes }, count);
      count += 1;
    }
    return { header, headerBytes, frames: count, bytes: frames.offset };
  } finally {
    await handle.close();
  }
}

/** A window of the file that moves on. */
class FrameReader {
  readonly #handle: FileHandle;
  readonly #path: string;
  #window: Buffer = Buffer.alloc(0);
  /** Where the window begins in the file. */
  #start = 0;
  #at = 0;

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle;
    this.#path = path;
  }

  /** Where the next frame begins in the file. */
  get offset(): number {
    return this.#start + this.#at;
  }

  /** The next payload; undefined at the end, also a torn one. */
  async next(): Promise<Buffer | undefined> {
    let read: FrameRead = readFrame(this.#window, this.#at);
    for (let more = chunkBytes; read.state !== 'whole'; more *= 2) {
      if (!(await this.#extend(more))) break;
      read = readFrame(this.#window, this.#at);
    }
    if (read.state === 'whole') {
      this.#at = read.next;
      return read.payload;
    }
    if (read.state !== 'damaged') return undefined;
    const text = `${this.#path} is damaged at byte ${this.offset}: whole records follow. Nothing was changed; restore the folder from a backup.`;
    throw new MemoryStorageError('damaged', text);
  }

  /** Drops what was read and adds up to `bytes`. False at the end of the file. */
  async #extend(bytes: number): Promise<boolean> {
    const rest = this.#window.subarray(this.#at);
    const window = Buffer.allocUnsafe(rest.length + bytes);
    rest.copy(window);
    this.#start += this.#at;
    this.#at = 0;
    const { bytesRead } = await this.#handle.read(window, rest.length, bytes, this.#start + rest.length);
    this.#window = window.subarray(0, rest.length + bytesRead);
    return bytesRead > 0;
  }
}
