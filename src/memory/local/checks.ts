import { deserialize, serialize } from 'node:v8';
import { ValidationError } from '../../core/index.js';
import { hint } from '../../core/internal.js';
import type { StoreItem } from './local-memory-options.js';

const maxIdBytes = 1_024;

/** @throws ValidationError unless `id` is a text of 1 to 1024 bytes in UTF-8 */
export function assertId(id: unknown, call: string): asserts id is string {
  if (typeof id === 'string' && id !== '' && id.length <= maxIdBytes && Buffer.byteLength(id) <= maxIdBytes) return;
  throw new ValidationError(call, [{ path: ['id'], message: `must be a text of 1 to ${maxIdBytes} bytes` }]);
}

/** @throws ValidationError unless `limit` is a whole number, 1 or more, or Infinity */
export function assertLimit(limit: unknown): asserts limit is number {
  if (limit === Number.POSITIVE_INFINITY || (Number.isInteger(limit) && (limit as number) >= 1)) return;
  throw new ValidationError('search', [{ path: ['limit'], message: 'must be a whole number, 1 or more, or Infinity' }]);
}

/** @throws ValidationError unless `threshold` is a number */
export function assertThreshold(threshold: unknown): asserts threshold is number {
  if (typeof threshold === 'number' && !Number.isNaN(threshold)) return;
  throw new ValidationError('search', [{ path: ['threshold'], message: 'must be a number' }]);
}

/** @throws ValidationError unless `importance` is missing or a number from 0 to 1 */
export function assertImportance(importance: unknown, call: string): asserts importance is number | undefined {
  if (importance === undefined || (typeof importance === 'number' && importance >= 0 && importance <= 1)) return;
  throw new ValidationError(call, [{ path: ['importance'], message: 'must be a number from 0 to 1' }]);
}

/** @throws ValidationError unless `text` is missing or a text that is not empty */
export function assertText(text: unknown, call: string): asserts text is string | undefined {
  if (text === undefined || (typeof text === 'string' && text !== '')) return;
  throw new ValidationError(call, [{ path: ['text'], message: 'must be a text that is not empty' }]);
}

/** Metadata that the caller cannot change. */
export interface MetadataCopy {
  readonly metadata: Record<string, unknown> | undefined;
  /** In V8's serialization format. */
  readonly serialized: Buffer;
}

const nothing: MetadataCopy = { metadata: undefined, serialized: Buffer.alloc(0) };

/**
 * Copies and measures metadata.
 *
 * @throws ValidationError for anything but an object with properties, and for what cannot be copied, such as functions
 */
export function copyMetadata(metadata: unknown, call: string): MetadataCopy {
  if (metadata === undefined) return nothing;
  const serialized = serializedForm(metadata, call);
  const copy: unknown = deserialize(serialized);
  // A class's object was made a plain one by copying; Map, Date and the like were not.
  if (Object.prototype.toString.call(copy) !== '[object Object]') {
    throw new ValidationError(call, [{ path: ['metadata'], message: 'must be an object with properties' }]);
  }
  return { metadata: copy as Record<string, unknown>, serialized };
}

function serializedForm(metadata: unknown, call: string): Buffer {
  try {
    return serialize(metadata);
  } catch (cause) {
    const message = 'cannot be copied: it holds a function or something else that is not data';
    throw new ValidationError(call, [{ path: ['metadata'], message }], { cause });
  }
}

const itemKeys: readonly string[] = ['id', 'vector', 'text', 'metadata', 'importance'] satisfies (keyof StoreItem)[];

/** @throws ValidationError unless `items` is an array of objects that have the keys of a {@link StoreItem} only */
export function assertItems(items: unknown, call: string): asserts items is readonly StoreItem[] {
  if (!Array.isArray(items)) throw new ValidationError(call, [{ path: [], message: 'must be an array of items' }]);
  for (const [index, item] of items.entries()) {
    if (typeof item !== 'object' || item === null) {
      throw new ValidationError(call, [{ path: [index], message: 'must be an object with an id' }]);
    }
    const unknown = Object.keys(item).find((key) => !itemKeys.includes(key));
    if (unknown === undefined) continue;
    const message = `is not a key of an item${hint(unknown, itemKeys)}`;
    throw new ValidationError(call, [{ path: [index, unknown], message }]);
  }
}
