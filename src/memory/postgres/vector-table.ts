import { type CallScope, ConfigurationError } from '../../core/index.js';
import { assertFacts, type WantedFacts } from '../indexed/stored-facts.js';
import { createTable } from './create-table.js';
import type { HNSWOptions } from './postgres-memory-options.js';
import type { SqlDatabase } from './sql-database.js';
import { readFacts, type TableFacts } from './table-facts.js';

/** The table of a memory: what it is for is looked up once, and it is made when it is missing. */
export class VectorTable {
  readonly #db: SqlDatabase;
  readonly #name: string;
  readonly #wanted: WantedFacts;
  readonly #hnsw: HNSWOptions | false;
  #facts: TableFacts | undefined;

  /** @param name as {@link quoteTable} gives it */
  constructor(db: SqlDatabase, name: string, wanted: WantedFacts, hnsw: HNSWOptions | false) {
    this.#db = db;
    this.#name = name;
    this.#wanted = wanted;
    this.#hnsw = hnsw;
  }

  /** What the table is for; undefined while there is none. @throws MemoryStorageError `foreign` `mismatch` */
  async facts(scope: CallScope): Promise<TableFacts | undefined> {
    if (this.#facts) return this.#facts;
    const facts = await readFacts(this.#db, this.#name, scope);
    if (facts) assertFacts(facts, this.#wanted, `The table ${this.#name}`, 'table');
    this.#facts = facts;
    return facts;
  }

  /** Makes the table where there is none. */
  async make(dimension: number, scope: CallScope): Promise<void> {
    if (await this.facts(scope)) return;
    const { metric, model = null } = this.#wanted;
    const facts: TableFacts = { format: 1, holds: 'vector-memory', metric, dimension, model };
    const { signal } = scope;
    await this.#db.transaction((tx) => createTable(tx, this.#name, facts, this.#hnsw), { signal });
    // Another process may have made it meanwhile, for other vectors.
    await this.facts(scope);
  }
}

/** `shop.notes` as `"shop"."notes"`. @throws ConfigurationError for anything but one or two plain names */
export function quoteTable(table: string): string {
  const names = table.split('.');
  if (names.length > 2 || !names.every((name) => /^[A-Za-z_]\w{0,62}$/.test(name))) {
    const field = 'PostgresVectorMemory.table';
    throw new ConfigurationError(`${field} must be a name, or a schema and a name`, { field });
  }
  return names.map((name) => `"${name}"`).join('.');
}
