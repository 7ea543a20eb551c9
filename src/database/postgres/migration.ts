import type { Awaitable } from '../../core/index.js';
import type { PostgresTransaction } from './postgres-transaction.js';

/** One change of the schema. */
export interface Migration {
  /** Unique, and kept: it is how the database knows what ran. */
  readonly id: string;
  /**
   * SQL, of one statement or several, or a function that is given the transaction. SQL is checksummed:
   * changing it after it ran is an error. A function cannot be; change its id instead.
   */
  readonly up: string | ((tx: PostgresTransaction) => Awaitable<unknown>);
}

/** Migrations in the order they run: a list, or a folder of `node-pg-migrate` files. */
export type MigrationSource = readonly Migration[] | { readonly dir: string };

/** What `migrate` did. */
export interface MigrationResult {
  /** Ids that ran now, in order. Empty when there was nothing to do. */
  readonly applied: readonly string[];
}
