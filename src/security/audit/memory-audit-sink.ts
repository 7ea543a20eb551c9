import { QueueFullError } from '../../core/index.js';
import { is } from '../../core/internal.js';
import type { AuditRecord, AuditSink } from './audit-record.js';

/** Keeps records in this process, for tests and small tools. */
export class MemoryAuditSink implements AuditSink {
  readonly records: AuditRecord[] = [];
  readonly #maxRecords: number;

  /** @param maxRecords what does not fit rejects: nothing is dropped */
  constructor(maxRecords = 100_000) {
    is.count(maxRecords, 'maxRecords');
    this.#maxRecords = maxRecords;
  }

  append(record: AuditRecord): void {
    if (this.records.length >= this.#maxRecords)
      throw new QueueFullError('the audit log in memory', `maxRecords: ${this.#maxRecords}`);
    this.records.push(record);
  }

  last(): AuditRecord | undefined {
    return this.records.at(-1);
  }

  read(): Iterable<AuditRecord> {
    return this.records;
  }
}
