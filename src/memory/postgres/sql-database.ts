import type { Awaitable, CallOptions } from '../../core/index.js';

/** Runs one statement: a text with `$1`, `$2`, ... and its values. */
export interface SqlSession {
  query(text: string, values?: readonly unknown[]): Promise<readonly SqlResultRow[]>;
}

/** A row by column. */
export type SqlResultRow = Readonly<Record<string, unknown>>;

/** What {@link PostgresVectorMemory} needs of a database; a `PostgresDatabase` of `@safla/sdk/database` fits. */
export interface SqlDatabase {
  query(text: string, values?: readonly unknown[], options?: CallOptions): Promise<readonly SqlResultRow[]>;
  /** Commits when `fn` returns, rolls back when it throws. */
  transaction<T>(fn: (tx: SqlSession) => Awaitable<T>, options?: CallOptions): Promise<T>;
}
