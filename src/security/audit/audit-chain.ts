import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { ConfigurationError, SaflaError } from '../../core/index.js';
import type { AuditAnchor, AuditRecord } from './audit-record.js';
import { canonicalJSON } from './canonical-json.js';

/** What is wrong with the first link that is. */
export type AuditBreak = 'malformed' | 'changed' | 'unknown-key' | 'missing' | 'reordered' | 'truncated';

/** What {@link AuditLog.verify} found. */
export type AuditVerification =
  | { readonly ok: true; readonly records: number; readonly anchor: AuditAnchor | undefined }
  | {
      readonly ok: false;
      readonly reason: AuditBreak;
      /** The place in the log, from 0, of the first link that is not right. */
      readonly index: number;
      /** The `seq` that belongs there. */
      readonly seq: number;
    };

/** Makes links and checks them. */
export class AuditChain {
  readonly #keys: Map<string, KeyObject> = new Map();

  /** @throws ConfigurationError for a key under 32 bytes */
  constructor(keys: Readonly<Record<string, string | Uint8Array>>) {
    for (const [id, secret] of Object.entries(keys)) {
      const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret;
      if (!(bytes instanceof Uint8Array) || bytes.byteLength < 32)
        throw new ConfigurationError(`AuditLog: key '${id}' must have 32 bytes or more`, { field: 'AuditLog.key' });
      this.#keys.set(id, createSecretKey(bytes));
    }
  }

  link(record: Omit<AuditRecord, 'mac'>): AuditRecord {
    const mac = this.#mac(record);
    if (mac === undefined) throw new ConfigurationError('AuditLog.keyId names no key', { field: 'AuditLog.keyId' });
    return { ...record, mac };
  }

  async verify(
    records: AsyncIterable<unknown> | Iterable<unknown>,
    anchor: AuditAnchor | undefined,
  ): Promise<AuditVerification> {
    let last: AuditRecord | undefined;
    let index = 0;
    for await (const record of records) {
      const seq = (last?.seq ?? 0) + 1;
      const reason = this.#faultOf(record, last, seq) ?? anchorFault(record as AuditRecord, anchor);
      if (reason) return { ok: false, reason, index, seq };
      last = record as AuditRecord;
      index += 1;
    }
    if (anchor && anchor.seq > (last?.seq ?? 0))
      return { ok: false, reason: 'truncated', index, seq: (last?.seq ?? 0) + 1 };
    return { ok: true, records: index, anchor: last && { seq: last.seq, mac: last.mac } };
  }

  #faultOf(record: unknown, last: AuditRecord | undefined, seq: number): AuditBreak | undefined {
    if (!isRecord(record)) return 'malformed';
    const { mac, ...content } = record;
    if (!this.#keys.has(record.keyId)) return 'unknown-key';
    const expected = this.#mac(content);
    if (expected === undefined || !isEqual(expected, mac)) return 'changed';
    // From here on the link itself is genuine: it stands in the wrong place.
    if (record.seq > seq) return 'missing';
    if (record.seq < seq || record.previous !== (last?.mac ?? '')) return 'reordered';
    return undefined;
  }

  /** Undefined when there is no such key, or when it cannot be what was written. */
  #mac(content: Omit<AuditRecord, 'mac'>): string | undefined {
    const key = this.#keys.get(content.keyId);
    if (!key) return undefined;
    try {
      return createHmac('sha256', key).update(canonicalJSON(content, 'audit record')).digest('base64url');
    } catch (error) {
      if (SaflaError.is(error)) return undefined;
      throw error;
    }
  }
}

function anchorFault(record: AuditRecord, anchor: AuditAnchor | undefined): AuditBreak | undefined {
  return anchor?.seq === record.seq && anchor.mac !== record.mac ? 'changed' : undefined;
}

/** By its shape, with nothing beside it: what is not under the MAC cannot be in a record. */
function isRecord(value: unknown): value is AuditRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { seq, at, event, keyId, previous, mac } = value as Partial<AuditRecord>;
  const texts = [at, keyId, previous, mac].every((text) => typeof text === 'string');
  return texts && Number.isSafeInteger(seq) && typeof event === 'object' && Object.keys(value).length === 6;
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
