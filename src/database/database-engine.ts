import type { CallOptions, Closeable, HealthCheck } from '../core/index.js';
import type { RowValues } from './sql/json-row.js';

/** A row or document as it was read. */
export type DatabaseRow = Record<string, unknown>;

/** What tells one row from all others in a table. */
export type RowId = string | number | bigint;

/**
 * What every engine can do in the same words. The key is the column `id` (`_id` in MongoDB is shown as
 * `id`). Names are one name each, never split or interpreted.
 */
export interface DatabaseEngine extends Closeable, HealthCheck {
  /** Stores a row and gives it as it was stored, `id` included. */
  create(table: string, row: RowValues, options?: CallOptions): Promise<DatabaseRow>;
  /** Null when there is none. */
  findById(table: string, id: RowId, options?: CallOptions): Promise<DatabaseRow | null>;
  /** Changes the named columns and gives the whole row. @throws NotFoundError when there is none */
  update(table: string, id: RowId, patch: RowValues, options?: CallOptions): Promise<DatabaseRow>;
  /** True when a row went. */
  delete(table: string, id: RowId, options?: CallOptions): Promise<boolean>;
  /** Asks the database a question. Never throws. */
  isConnected(options?: CallOptions): Promise<boolean>;
  /** Runs the configured migrations that did not run yet. */
  migrate(): Promise<unknown>;
  /** Drops the namespace that `migrate` made, with all it holds, and nothing else. @throws UnsupportedError without one */
  cleanup(): Promise<void>;
}
