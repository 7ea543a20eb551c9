import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Closeable, type CloseOptions, Lifecycle, ProtocolError } from '../../core/index.js';
import { is, lazy } from '../../core/internal.js';
import type { AuditRecord, AuditSink } from './audit-record.js';

/** A record is a line; the longest one that is looked for at the end of the file, in bytes. */
const maxLineBytes = 4_194_304;

/**
 * A file of one JSON line per record, readable by its owner alone. An append resolves when the disk has it. A line
 * that a crash left unfinished was never confirmed, and is cut off at the next start.
 */
export class FileAuditSink implements AuditSink, Closeable {
  readonly #path: string;
  readonly #file: () => Promise<FileHandle>;
  readonly #lifecycle: Lifecycle = new Lifecycle('FileAuditSink');
  #opened: FileHandle | undefined;

  constructor(path: string) {
    is.text(path, 'path');
    this.#path = path;
    this.#file = lazy(async () => {
      this.#opened = await open(path, 'a+', 0o600);
      return this.#opened;
    });
  }

  /** @throws ClosedError; what the file system says */
  append(record: AuditRecord): Promise<void> {
    return this.#lifecycle.call('append to the audit log', {}, async () => {
      const file = await this.#file();
      await file.appendFile(`${JSON.stringify(record)}\n`);
      await file.datasync();
    });
  }

  async last(): Promise<AuditRecord | undefined> {
    const file = await this.#file();
    const { size } = await file.stat();
    const length = Math.min(size, maxLineBytes);
    const tail = Buffer.alloc(length);
    await file.read(tail, 0, length, size - length);
    const end = tail.lastIndexOf(0x0a);
    if (end !== length - 1) await file.truncate(size - length + end + 1);
    if (end < 0) return undefined;
    const start = end === 0 ? -1 : tail.lastIndexOf(0x0a, end - 1);
    const record = toRecord(tail.subarray(start + 1, end).toString('utf8'));
    if (typeof record !== 'object' || record === null)
      throw new ProtocolError('the last line of the audit log is no record; verify the log before it is continued');
    return record as AuditRecord;
  }

  async *read(): AsyncIterable<unknown> {
    await this.#file();
    const lines = createInterface({ input: createReadStream(this.#path), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) yield toRecord(line);
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => this.#opened?.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function toRecord(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
