import { type FileHandle, open } from 'node:fs/promises';
import { MemoryStorageError, storageFailure } from '../../memory-storage-error.js';
import { toFrame } from './frame.js';
import type { FrameCipher } from './frame-cipher.js';

/**
 * When a change is acknowledged. `always`: once it is on the disk; calls at the same time share one
 * fdatasync. `interval`: once the operating system has it, which outlives this process; it is on the
 * disk within a second. `os`: as `interval`, and the operating system decides when it goes to the disk.
 */
export type FsyncPolicy = 'always' | 'interval' | 'os';

const syncEveryMs = 1_000;

interface Pending {
  readonly payload: Buffer;
  readonly applied: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Appends frames to one file, in order. What fails leaves the file as it was. */
export class LogWriter {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #cipher: FrameCipher;
  readonly #fsync: FsyncPolicy;
  #queue: Pending[] = [];
  #writing: Promise<void> | undefined;
  #bytes: number;
  #frames: number;
  #timer: NodeJS.Timeout | undefined;
  #broken: MemoryStorageError | undefined;
  #after: Promise<unknown> | undefined;

  private constructor(path: string, handle: FileHandle, { cipher, fsync, bytes, frames, after }: LogPlace) {
    this.path = path;
    this.#handle = handle;
    this.#cipher = cipher;
    this.#fsync = fsync;
    this.#bytes = bytes;
    this.#frames = frames;
    this.#after = after;
  }

  /** Goes on at `place.bytes`; what stands behind it is cut off. */
  static async open(path: string, place: LogPlace): Promise<LogWriter> {
    try {
      const handle = await open(path, 'r+');
      await handle.truncate(place.bytes);
      return new LogWriter(path, handle, place);
    } catch (error) {
      throw storageFailure('Cannot write', path, error);
    }
  }

  /** Of the file, with what is being written. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves once the payload is kept as the policy says. `applied` runs just before, in the order of
   * the calls.
   */
  append(payload: Buffer, applied: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ payload, applied, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Waits for what is being written, puts it on the disk and closes the file. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#writing;
    try {
      if (this.#fsync !== 'os' && !this.#broken) await this.#handle.datasync();
    } catch (error) {
      throw storageFailure('Cannot write', this.path, error);
    } finally {
      await this.#handle.close();
    }
  }

  async #writeAll(): Promise<void> {
    // Calls of the same moment are written together.
    await this.#after;
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#write(batch.map(({ payload }) => payload));
        for (const { applied, resolve } of batch) {
          applied();
          resolve();
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(payloads: readonly Buffer[]): Promise<void> {
    if (this.#broken) throw this.#broken;
    const frames: Buffer[] = [];
    for (const [index, payload] of payloads.entries()) {
      frames.push(toFrame(await this.#cipher.seal(payload, this.#frames + index)));
    }
    const bytes = frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
    try {
      await writeWhole(this.#handle, bytes, this.#bytes);
      if (this.#fsync === 'always') await this.#handle.datasync();
    } catch (error) {
      await this.#undo(error);
      throw storageFailure('Cannot write', this.path, error);
    }
    this.#bytes += bytes.length;
    this.#frames += payloads.length;
    if (this.#fsync === 'interval') this.#syncSoon();
  }

  /** A half-written frame must not stay before later ones. */
  async #undo(cause: unknown): Promise<void> {
    try {
      await this.#handle.truncate(this.#bytes);
      // After a failed fdatasync nobody knows what the disk holds.
      if (this.#fsync === 'always') await this.#handle.datasync();
    } catch {
      const text = `${this.path} can no longer be written; close the memory and open it again`;
      this.#broken = new MemoryStorageError('io', text, { cause });
    }
  }

  #syncSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#handle.datasync().catch((cause: unknown) => {
        this.#broken ??= storageFailure('Cannot write', this.path, cause);
      });
    }, syncEveryMs).unref();
  }
}

/** Where a writer goes on in a file. */
export interface LogPlace {
  readonly cipher: FrameCipher;
  readonly fsync: FsyncPolicy;
  readonly bytes: number;
  /** Payloads that stand there already, the header not counted. */
  readonly frames: number;
  /** What has to be over before the first write. */
  readonly after?: Promise<unknown>;
}

/** Writes all of it: the system may take less at a time. */
export async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
