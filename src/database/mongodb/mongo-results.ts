/** What an insert did. */
export interface MongoInsertResult {
  /** False only for a write concern of 0. */
  readonly acknowledged: boolean;
  /** The document's `_id`: the one given, or one made by the driver (a text where `_id` is declared as an object id). */
  readonly insertedId: unknown;
}

/** What an insert of several did. */
export interface MongoInsertManyResult {
  readonly acknowledged: boolean;
  readonly insertedIds: readonly unknown[];
}

/** What an update did. */
export interface MongoUpdateResult {
  readonly acknowledged: boolean;
  readonly matchedCount: number;
  /** Matched documents that were not so already. */
  readonly modifiedCount: number;
  /** The `_id` of a document that `upsert` made, else null. */
  readonly upsertedId: unknown;
}

/** What a delete did. */
export interface MongoDeleteResult {
  readonly acknowledged: boolean;
  readonly deletedCount: number;
}

/** What a bulk write did. */
export interface MongoBulkResult {
  readonly insertedCount: number;
  readonly matchedCount: number;
  readonly modifiedCount: number;
  readonly deletedCount: number;
  readonly upsertedCount: number;
}
