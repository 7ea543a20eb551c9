import type { CallOptions, StandardSchemaV1 } from '../../core/index.js';
import { checkOptions, is, isSchema } from '../../core/internal.js';
import type { MongoDocument } from '../../drivers/mongodb/index.js';
import type { MongoFindOptions } from './read-options.js';

/** What of a collection's documents is known. */
export interface MongoCollectionOptions<T extends object = MongoDocument> {
  /** Checks documents before they are inserted or replaced, and whole documents that are read. */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /**
   * Fields that hold object ids: for you they are texts of 24 hexadecimal digits, in documents, filters and
   * results. Paths in dots, without indexes: `['_id', 'items.productId']`. @default none, object ids are the driver's
   */
  readonly objectIds?: readonly string[];
}

/** A document as it is read: its type, and its `_id`. */
export type Stored<T> = T extends { readonly _id: unknown } ? T : T & { readonly _id: unknown };

/** Settings of an update. */
export interface MongoUpdateOptions extends CallOptions {
  /** Inserts a document when none matches. @default false */
  readonly upsert?: boolean;
}

/** Settings of `findOneAndUpdate`. */
export interface MongoModifyOptions extends MongoUpdateOptions {
  /** Which document is given. @default 'after' */
  readonly give?: 'before' | 'after';
  /** Which of several matching documents is changed: the first in this order. */
  readonly sort?: MongoFindOptions['sort'];
}

/** Settings of `insertMany` and `bulkWrite`. */
export interface MongoBulkOptions extends CallOptions {
  /** Stops at the first failure. Without it the rest is done too, in any order. @default true */
  readonly ordered?: boolean;
}

/** Settings of an index. */
export interface MongoIndexOptions extends CallOptions {
  readonly name?: string;
  readonly unique?: boolean;
  readonly sparse?: boolean;
  /** Documents are deleted this many seconds after the indexed date. */
  readonly expireAfterSeconds?: number;
}

/** What a collection is given: options, or a schema alone. @throws ConfigurationError */
export function collectionOptions<T extends object>(
  name: string,
  given: MongoCollectionOptions<T> | StandardSchemaV1<unknown, T>,
): MongoCollectionOptions<T> {
  const options: MongoCollectionOptions<T> = isSchema(given)
    ? { schema: given as StandardSchemaV1<unknown, T> }
    : given;
  checkOptions(`collection ${name}`, options, { schema: is.anything, objectIds: fieldList });
  return options;
}

function fieldList(value: unknown, field: string): void {
  is.list(value, field);
  for (const [index, name] of (value as unknown[]).entries()) is.text(name, `${field}[${index}]`);
}
