import type { Metric } from '../metric.js';
import { decodeEntries, type Entry, encodeEntries, type PutEntry } from './entry.js';
import { type FileFrames, readFrames } from './file-frames.js';
import { assertMatches, encodeHeader, type FileHeader } from './file-header.js';
import { FrameCipher, type MemoryEncryption } from './frame-cipher.js';
import { fileOf, findFiles, removeBefore, writeFile } from './journal-files.js';
import { type FolderLock, lockFolder } from './lock-file.js';
import { type FsyncPolicy, LogWriter } from './log-writer.js';

/** What a {@link Journal} is made of. */
export interface JournalOptions {
  readonly folder: string;
  readonly fsync: FsyncPolicy;
  readonly encryption: MemoryEncryption | undefined;
  readonly metric: Metric;
  readonly dimension: number | undefined;
  readonly model: string | undefined;
  /** All items as they are now. Looked through while changes go on. */
  readonly items: () => Iterable<PutEntry>;
  /** Gets why a snapshot could not be written; the log goes on growing until the next one. */
  readonly onFailure: (error: unknown) => void;
}

/** Logs smaller than this are not worth a snapshot. */
const leastLogBytes = 4 * 2 ** 20;
/** Of one frame of a snapshot, about. */
const frameBytes = 2 ** 20;

/**
 * The changes of a memory in a folder: a snapshot, and a log of what came after it. When the log has
 * grown past the snapshot a new one is written while changes go on, to a log of their own: applied over
 * a snapshot that has some of them already they give the same.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #lock: FolderLock;
  #writer: LogWriter | undefined;
  #starting: Promise<LogWriter> | undefined;
  #header: FileHeader | undefined;
  #compacting: Promise<void> | undefined;
  /** The log is long enough for a snapshot from here. */
  #compactAt = leastLogBytes;
  #stopped = false;

  private constructor(options: JournalOptions, lock: FolderLock) {
    this.#options = options;
    this.#lock = lock;
  }

  /**
   * Locks the folder and reads what it holds: `apply` gets every change in order.
   *
   * @throws MemoryStorageError
   */
  static async open(options: JournalOptions, apply: (entry: Entry) => void): Promise<Journal> {
    const files = await findFiles(options.folder);
    const lock = await lockFolder(options.folder);
    try {
      const journal = new Journal(options, lock);
      // Again, as nobody else changes them now.
      await journal.#read(files.logs.length > 0 ? await findFiles(options.folder) : files, apply);
      return journal;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Of the vectors in the files; undefined while there are none. */
  get dimension(): number | undefined {
    return this.#header?.dimension;
  }

  /** Of the embedding model in the files. */
  get model(): string | undefined {
    return this.#header?.model ?? undefined;
  }

  /**
   * Keeps changes, all or none; `applied` runs when they are kept, in the order of the calls.
   *
   * @throws MemoryStorageError
   */
  async commit(entries: readonly Entry[], dimension: number, applied: () => void): Promise<void> {
    const writer = this.#writer ?? (await this.#start(dimension));
    // The writer may be another one after the wait; a log that is closing still takes its order.
    await (this.#writer ?? writer).append(encodeEntries(entries), applied);
    if ((this.#writer?.bytes ?? 0) > this.#compactAt) this.#compacting ??= this.#compact();
  }

  /** Writes a snapshot in place of the log; waits for the one that is under way. @throws what it fails with */
  async compact(): Promise<void> {
    await this.#compacting;
    let failure: unknown;
    this.#compacting ??= this.#compact((error) => {
      failure = error;
    });
    await this.#compacting;
    if (failure !== undefined) throw failure;
  }

  /** Puts everything on the disk and lets go of the folder. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#compacting;
    try {
      await this.#starting;
      await this.#writer?.close();
    } finally {
      await this.#lock.release();
    }
  }

  async #read(
    { snapshot, logs }: { snapshot: number; logs: readonly number[] },
    apply: (entry: Entry) => void,
  ): Promise<void> {
    const { folder } = this.#options;
    let last: (FileFrames & { path: string }) | undefined;
    let snapshotBytes = 0;
    if (snapshot > 0) {
      const path = fileOf(folder, 'snapshot', snapshot);
      last = { path, ...(await this.#replay(path, apply)) };
      snapshotBytes = last.bytes;
    }
    for (const generation of logs) {
      const path = fileOf(folder, 'log', generation);
      last = { path, ...(await this.#replay(path, apply)) };
    }
    if (!last) return;
    this.#header = last.header;
    this.#compactAt = Math.max(leastLogBytes, snapshotBytes);
    if (last.header.kind === 'log') this.#writer = await this.#continue(last);
  }

  async #replay(path: string, apply: (entry: Entry) => void): Promise<FileFrames> {
    const { encryption } = this.#options;
    let cipher: FrameCipher | undefined;
    return readFrames(path, this.#check(path), async (payload, { header, headerBytes }, place) => {
      cipher ??= new FrameCipher(encryption, headerBytes);
      for (const entry of decodeEntries(await cipher.open(payload, place, path), header.dimension)) apply(entry);
    });
  }

  #check(path: string): (header: FileHeader) => void {
    const { metric, dimension, model, encryption } = this.#options;
    return (header) => assertMatches(header, { metric, dimension, model, encrypted: encryption !== undefined }, path);
  }

  #continue({ path, headerBytes, bytes, frames }: FileFrames & { path: string }): Promise<LogWriter> {
    const { encryption, fsync } = this.#options;
    return LogWriter.open(path, { cipher: new FrameCipher(encryption, headerBytes), fsync, bytes, frames });
  }

  /** The first log of the folder, or the one after its snapshot: made with the first change. */
  #start(dimension: number): Promise<LogWriter> {
    this.#starting ??= this.#startLog(dimension).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #startLog(dimension: number): Promise<LogWriter> {
    const { metric, model, encryption } = this.#options;
    const base = { format: 1, holds: 'vector-memory', metric, dimension, encrypted: encryption !== undefined } as const;
    const generation = this.#header?.generation ?? 0;
    const named = this.#header ? this.#header.model : (model ?? null);
    this.#writer = await this.#newLog({ ...base, kind: 'log', generation: generation || 1, model: named });
    return this.#writer;
  }

  async #newLog(header: FileHeader, after?: Promise<unknown>): Promise<LogWriter> {
    const { folder, encryption, fsync } = this.#options;
    const bytes = await writeFile(folder, header, []);
    const cipher = new FrameCipher(encryption, encodeHeader(header));
    const path = fileOf(folder, 'log', header.generation);
    const writer = await LogWriter.open(path, { cipher, fsync, bytes, frames: 0, ...(after && { after }) });
    this.#header = header;
    return writer;
  }

  async #compact(onFailure: (error: unknown) => void = this.#options.onFailure): Promise<void> {
    const { folder } = this.#options;
    const [old, before] = [this.#writer, this.#header];
    if (!old || !before) return;
    try {
      const header: FileHeader = { ...before, kind: 'log', generation: before.generation + 1 };
      let closed: () => void = () => undefined;
      const after = new Promise<void>((resolve) => {
        closed = resolve;
      });
      this.#writer = await this.#newLog(header, after);
      // Changes wait in the new log until those of the old one are applied.
      await old.close().finally(closed);
      const snapshot: FileHeader = { ...header, kind: 'snapshot' };
      this.#compactAt = Math.max(leastLogBytes, await writeFile(folder, snapshot, this.#snapshotFrames(snapshot)));
      await removeBefore(folder, header.generation);
    } catch (error) {
      this.#compactAt = Math.max(leastLogBytes, (this.#writer?.bytes ?? 0) * 2);
      if (!this.#stopped) onFailure(error);
    } finally {
      this.#compacting = undefined;
    }
  }

  async *#snapshotFrames(header: FileHeader): AsyncGenerator<Buffer> {
    const cipher = new FrameCipher(this.#options.encryption, encodeHeader(header));
    const perFrame = Math.max(1, Math.floor(frameBytes / (header.dimension * 4 + 100)));
    let entries: Buffer[] = [];
    let place = 0;
    for (const item of this.#options.items()) {
      // At once: the vector is a view of a row that may change while this frame is written.
      entries.push(encodeEntries([item]));
      if (entries.length < perFrame) continue;
      if (this.#stopped) throw new Error('closed while a snapshot was written');
      yield await cipher.seal(Buffer.concat(entries), place);
      entries = [];
      place += 1;
    }
    if (entries.length > 0) yield await cipher.seal(Buffer.concat(entries), place);
  }
}
