import type { DatabaseEngine } from './database-engine.js';

/** What the guide's MongoDB methods need of an engine. */
export interface DocumentEngine extends DatabaseEngine {
  /** One of the guide's operations: `find`, `findOne`, `insertOne`, `updateOne`, `deleteOne`. */
  operate(collection: string, operation: string, query: unknown): Promise<unknown>;
}
