import {
  type CallOptions,
  type Clock,
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  detach,
  Lifecycle,
  QueueFullError,
  redact,
  systemClock,
  UnsupportedError,
} from '../../core/index.js';
import { checkOptions, describeError, encodeJSON, is, type OptionChecks } from '../../core/internal.js';
import { AuditChain, type AuditVerification } from './audit-chain.js';
import { AuditError } from './audit-error.js';
import type { AuditAnchor, AuditEvent, AuditRecord, AuditSink } from './audit-record.js';
import { MemoryAuditSink } from './memory-audit-sink.js';

/** Settings of {@link AuditLog}. */
export interface AuditLogOptions {
  /** Signs records: 32 bytes or more. Whoever has it can forge the log, so keep it from where the log is kept. */
  readonly key: string | Uint8Array;
  /** Written into records. Give a new key a new one. @default '1' */
  readonly keyId?: string;
  /** Keys of older records, by id. */
  readonly previousKeys?: Readonly<Record<string, string | Uint8Array>>;
  /** Where records go. The caller owns it. @default a MemoryAuditSink */
  readonly sink?: AuditSink;
  /** Records that wait to be written; further ones reject with QueueFullError. @default 10000 */
  readonly maxQueue?: number;
  /** @default the system's */
  readonly clock?: Clock;
}

/** Settings of {@link AuditLog.verify}. */
export interface AuditVerifyOptions {
  /** Where the chain was known to end. Without it, records that were cut off the end are not missed. */
  readonly anchor?: AuditAnchor;
  /** The records, in order. @default what the sink reads */
  readonly records?: AsyncIterable<unknown> | Iterable<unknown>;
}

const optionChecks: OptionChecks<AuditLogOptions> = {
  key: is.required(is.anything),
  keyId: is.text,
  previousKeys: is.object,
  sink: (value, field) => is.function((value as Partial<AuditSink> | null)?.append, `${field}.append`),
  maxQueue: is.count,
  clock: is.object,
};

/**
 * An append-only log in which every record is bound to the one before by HMAC-SHA-256: a record that is changed,
 * left out or moved is found by `verify`, and so is an end that was cut off when an anchor is kept elsewhere.
 * Records stand in the order of the calls. Secrets are masked before anything is written.
 *
 * @throws ConfigurationError
 * @example
 * await using audit = new AuditLog({ key: env.AUDIT_KEY, sink: new FileAuditSink('./audit.jsonl') });
 * await audit.append({ actor: 'alice', action: 'order.refunded', target: 'order/7' });
 */
export class AuditLog implements Closeable {
  readonly #chain: AuditChain;
  readonly #keyId: string;
  readonly #sink: AuditSink;
  readonly #maxQueue: number;
  readonly #clock: Clock;
  readonly #lifecycle: Lifecycle = new Lifecycle('AuditLog');
  #head: AuditAnchor | undefined;
  /** False before the first record, and after one that may or may not have been written. */
  #knowsHead = false;
  #failed = false;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: AuditLogOptions) {
    checkOptions('AuditLog', options, optionChecks);
    this.#keyId = options.keyId ?? '1';
    if (Object.hasOwn(options.previousKeys ?? {}, this.#keyId))
      throw new ConfigurationError('AuditLog.previousKeys has the id of the key itself', { field: 'AuditLog.keyId' });
    this.#chain = new AuditChain({ ...options.previousKeys, [this.#keyId]: options.key });
    this.#sink = options.sink ?? new MemoryAuditSink();
    this.#maxQueue = options.maxQueue ?? 10_000;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Resolves with the record when the sink has it. A caller who leaves while it waits may find it written.
   *
   * @throws ValidationError ConfigurationError for an event that is none; AuditError when the sink fails;
   * QueueFullError ClosedError
   */
  async append(event: AuditEvent, options: CallOptions = {}): Promise<AuditRecord> {
    is.text(event?.actor, 'event.actor');
    is.text(event?.action, 'event.action');
    // Taken now: what the caller changes later is not what happened.
    const masked = JSON.parse(encodeJSON(redact(event), 'audit event')) as AuditEvent;
    const at = new Date(this.#clock.now()).toISOString();
    return this.#lifecycle.call('append to the audit log', options, () => {
      if (this.#waiting >= this.#maxQueue) throw new QueueFullError('the audit log', `maxQueue: ${this.#maxQueue}`);
      this.#waiting += 1;
      const writing = this.#tail.then(() => detach(() => this.#write(masked, at)));
      this.#tail = writing.catch(() => undefined).finally(() => this.#waiting--);
      return writing;
    });
  }

  /** The first link that is not right, or where the chain ends. */
  async verify(options: AuditVerifyOptions = {}): Promise<AuditVerification> {
    const records = options.records ?? this.#sink.read?.();
    if (!records) throw new UnsupportedError('verify: the sink cannot be read; give the records');
    return this.#chain.verify(records, options.anchor);
  }

  /** Where the chain ends now; undefined when it is empty. Keep it where the log's keeper cannot write. */
  async anchor(): Promise<AuditAnchor | undefined> {
    await this.#tail;
    if (!this.#knowsHead) await this.#findHead();
    return this.#head;
  }

  /** Writes what waits, until the deadline. The sink stays open: it is the caller's. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #write(event: AuditEvent, at: string): Promise<AuditRecord> {
    if (!this.#knowsHead) await this.#findHead();
    const { seq = 0, mac = '' } = this.#head ?? {};
    const record = this.#chain.link({ seq: seq + 1, at, event, keyId: this.#keyId, previous: mac });
    try {
      await this.#sink.append(record);
    } catch (error) {
      this.#knowsHead = false;
      this.#failed = true;
      throw new AuditError(`audit record ${seq + 1} was not written: ${describeError(error)}`, { retryable: true });
    }
    this.#head = { seq: record.seq, mac: record.mac };
    return record;
  }

  /** @throws AuditError when the chain cannot be continued */
  async #findHead(): Promise<void> {
    if (!this.#sink.last) {
      if (this.#failed)
        throw new AuditError('the sink failed and cannot say where the chain ends (last); begin a new log', {
          retryable: false,
        });
      this.#knowsHead = true;
      return;
    }
    let last: AuditRecord | undefined;
    try {
      last = await this.#sink.last();
    } catch (error) {
      throw new AuditError(`the end of the audit log cannot be read: ${describeError(error)}`, { retryable: true });
    }
    this.#head = last && { seq: last.seq, mac: last.mac };
    this.#knowsHead = true;
  }
}
