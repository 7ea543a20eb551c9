import type { Awaitable } from '../../core/index.js';
import { ConfigurationError } from '../../core/index.js';
import { is } from '../../core/internal.js';
import type { MongoCollection } from './mongo-collection.js';

/** What a migration works with. */
export interface MongoMigrationTools {
  collection(name: string): MongoCollection;
  /** Runs one command on the database, as MongoDB documents it: `{ collMod: 'users', validator: {...} }`. */
  command(command: object): Promise<Record<string, unknown>>;
}

/** One change of the database. */
export interface MongoMigration {
  /** Unique, and kept: it is how the database knows what ran. */
  readonly id: string;
  /**
   * Database commands, run in order, or a function. Commands are checksummed: changing them after they ran is
   * an error. A function cannot be; change its id instead. A migration is no transaction: when it fails halfway
   * it runs again from its beginning, so write it such that this does no harm.
   */
  readonly up: readonly object[] | ((db: MongoMigrationTools) => Awaitable<unknown>);
}

/** @throws ConfigurationError */
export function checkMongoMigrations(source: unknown, field: string): void {
  is.list(source, field);
  const ids = new Set<string>();
  for (const [index, migration] of (source as unknown[]).entries()) {
    const { id, up } = (migration ?? {}) as { readonly id?: unknown; readonly up?: unknown };
    const at = `${field}[${index}]`;
    is.text(id, `${at}.id`);
    is.either('a function or a list of commands', is.function, is.list)(up, `${at}.up`);
    if (ids.has(String(id))) throw new ConfigurationError(`${at}.id '${id}' is there twice`, { field: `${at}.id` });
    ids.add(String(id));
  }
}
