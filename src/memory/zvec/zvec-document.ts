import { createHash } from 'node:crypto';
import type { ZVecDoc, ZVecDocInput } from '@zvec/zvec';
import { ValidationError } from '../../core/index.js';
import { encodeJSON } from '../../core/internal.js';
import type { Embedding } from '../embedding.js';
import { valueAt } from '../local/filter/metadata-filter.js';
import type { ItemDraft } from '../local/item-draft.js';
import { defaultNamespace } from '../local/local-memory-options.js';
import type { FilterColumns } from './pushed-filter.js';

/** An item beside its vector, as JSON in a column. */
interface ItemFacts {
  readonly id: string;
  readonly metadata?: Record<string, unknown>;
  readonly text?: string;
  readonly importance?: number;
}

/** Where and how long documents are kept. */
export interface Stay {
  readonly namespace: string | undefined;
  readonly ttlMs: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const never = Number.MAX_SAFE_INTEGER;

/** Keys of zvec are short and plain: a hash stands for the namespace and the id. */
export function keyOf(id: string, namespace: string = defaultNamespace): string {
  return createHash('sha256')
    .update(JSON.stringify([namespace, id]))
    .digest('hex');
}

/** What stands for a namespace in expressions. */
export function scopeOf(namespace: string = defaultNamespace): string {
  return createHash('sha256').update(namespace).digest('hex').slice(0, 32);
}

/**
 * The item beside its vector, as JSON.
 *
 * @param metadata as it was given: JSON of the copy would know of no `toJSON`
 * @throws ValidationError
 */
export function encodeFacts({ id, text, importance }: ItemDraft, metadata: object | undefined): string {
  return encodeJSON({ id, metadata, text, importance }, `metadata of '${id}'`);
}

/** @throws ValidationError for a value of another type than its column */
export function toDocument(
  draft: ItemDraft,
  facts: string,
  vector: Float64Array,
  columns: FilterColumns,
  { namespace, ttlMs = Number.POSITIVE_INFINITY, now }: Stay,
): ZVecDocInput {
  return {
    id: keyOf(draft.id, namespace),
    vectors: { vector: Float32Array.from(vector) },
    fields: {
      scope: scopeOf(namespace),
      expires: Math.min(never, now + ttlMs),
      stored: now,
      item: facts,
      ...columnsOf(draft, columns),
    },
  };
}

/** What {@link encodeFacts} made, of a document that was read with its column `item`. */
export function factsOf(fields: ZVecDoc['fields']): ItemFacts {
  return JSON.parse(fields.item as string) as ItemFacts;
}

export function toEmbedding({ fields, vectors }: ZVecDoc): Embedding {
  const components = vectors.vector as Float32Array | number[];
  return { ...factsOf(fields), vector: Array.from(components), timestamp: fields.stored as number };
}

function columnsOf({ id, metadata }: ItemDraft, columns: FilterColumns): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, { column, type }] of columns) {
    const path = name.split('.');
    const value = valueAt(metadata, path);
    if (value === undefined || value === null) continue;
    if (typeof value !== (type === 'text' ? 'string' : 'number')) {
      const message = `of '${id}' must be a ${type}, as the option fields says`;
      throw new ValidationError('store', [{ path: ['metadata', ...path], message }]);
    }
    values[column] = value as string | number;
  }
  return values;
}
