import { encodeUpdate } from './encode-update.js';
import { encodeFilter } from './filter-encoder.js';
import type { MongoFilter, MongoUpdate } from './mongo-filter.js';
import { refuse } from './names.js';
import type { ObjectIds } from './object-ids.js';

/** One write of a `bulkWrite`, named by what it does. */
export type BulkOperation<T extends object = Record<string, unknown>> =
  | { readonly insertOne: T }
  | {
      readonly updateOne: {
        readonly filter: MongoFilter<T>;
        readonly update: MongoUpdate<T>;
        readonly upsert?: boolean;
      };
    }
  | {
      readonly updateMany: {
        readonly filter: MongoFilter<T>;
        readonly update: MongoUpdate<T>;
        readonly upsert?: boolean;
      };
    }
  | { readonly replaceOne: { readonly filter: MongoFilter<T>; readonly replacement: T; readonly upsert?: boolean } }
  | { readonly deleteOne: MongoFilter<T> }
  | { readonly deleteMany: MongoFilter<T> };

type Encode = (document: unknown) => Promise<Record<string, unknown>>;

const names = ['insertOne', 'updateOne', 'updateMany', 'replaceOne', 'deleteOne', 'deleteMany'];

/** Writes one operation as the driver takes it. @throws ValidationError */
export async function encodeBulk(item: unknown, index: number, ids: ObjectIds, encode: Encode): Promise<object> {
  const entries = typeof item === 'object' && item !== null ? Object.entries(item as Record<string, unknown>) : [];
  const [name, given] = entries[0] ?? [];
  if (entries.length !== 1 || name === undefined || !names.includes(name)) {
    refuse('operations', [index], `must have one of ${names.join(', ')}`);
  }
  if (name === 'insertOne') return { insertOne: { document: await encode(given) } };
  if (name === 'deleteOne' || name === 'deleteMany') return { [name]: { filter: encodeFilter(given, ids) } };
  const { filter, update, replacement, upsert = false } = (given ?? {}) as Record<string, unknown>;
  const change =
    name === 'replaceOne' ? { replacement: await encode(replacement) } : { update: encodeUpdate(update, ids) };
  return { [name]: { filter: encodeFilter(filter, ids), ...change, upsert: upsert === true } };
}
