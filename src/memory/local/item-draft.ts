import { ValidationError } from '../../core/index.js';
import { assertId, assertImportance, assertText, copyMetadata } from './checks.js';
import { recordOf, type StoredItem } from './kept-items.js';
import type { StoreItem } from './local-memory-options.js';
import type { TransferItem } from './transfer/ndjson.js';
import { assertDimension, type VectorInput } from './vector-input.js';
import type { ReadSource, VectorSource } from './vector-source.js';

/** An item that was checked and copied but for its vector, which may have to be made. */
export interface ItemDraft {
  readonly id: string;
  readonly metadata: Record<string, unknown> | undefined;
  readonly serialized: Buffer;
  readonly text: string | undefined;
  readonly importance: number | undefined;
  readonly timestamp?: number;
  readonly expiresAt?: number;
  readonly read: ReadSource;
}

/** @throws ValidationError ConfigurationError */
export function draftOf(item: StoreItem, source: VectorSource, call: string): ItemDraft {
  const { id, vector, text, importance } = item;
  assertId(id, call);
  assertText(text, call);
  assertImportance(importance, call);
  const made: VectorInput | string | undefined = vector ?? text;
  if (made === undefined) {
    throw new ValidationError(call, [{ path: [], message: 'an item needs a vector or a text' }]);
  }
  const read = source.read(made, `vector of '${id}'`);
  const { metadata, serialized } = copyMetadata(item.metadata, call);
  return { id, metadata, serialized, text, importance, read };
}

/** An item of an export. @throws ValidationError */
export function draftOfTransfer(item: TransferItem, source: VectorSource): ItemDraft {
  const { id, vector, text, importance, metadata } = item;
  const draft = draftOf({ id, vector, text, importance, metadata } as StoreItem, source, 'import');
  const [timestamp, expiresAt] = [timeOf(item, 'timestamp'), timeOf(item, 'expiresAt')];
  return {
    ...draft,
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/** Puts drafts and their vectors together. @throws ValidationError for vectors of several dimensions */
export function toStored(
  drafts: readonly ItemDraft[],
  vectors: readonly Float64Array[],
  dimension: number | undefined,
  ttlMs: number,
): StoredItem[] {
  const now = Date.now();
  const length = dimension ?? vectors[0]?.length ?? 0;
  return drafts.map((draft, place) => {
    const { id, metadata, text, importance, serialized, read, timestamp = now, expiresAt = timestamp + ttlMs } = draft;
    const vector = vectors[place] as Float64Array;
    assertDimension(vector, length, read.subject);
    const item = { id, metadata, timestamp, expiresAt, text, importance };
    return { record: recordOf(item, length, serialized.length), serialized, vector };
  });
}

function timeOf(item: TransferItem, key: 'timestamp' | 'expiresAt'): number | undefined {
  const value = item[key];
  if (value === undefined || (typeof value === 'number' && !Number.isNaN(value))) return value;
  throw new ValidationError('import', [{ path: [key], message: 'must be milliseconds since the epoch' }]);
}
