import type { CallOptions } from '../../core/index.js';
import type { StoredFacts } from '../indexed/stored-facts.js';
import { MemoryStorageError } from '../memory-storage-error.js';
import type { SqlDatabase, SqlSession } from './sql-database.js';

/** What a table of vectors is for. Kept as the comment of the table. */
export interface TableFacts extends StoredFacts {
  readonly format: 1;
  readonly holds: 'vector-memory';
}

/** What the table says it is for; undefined when there is no table. @throws MemoryStorageError `foreign` */
export async function readFacts(
  db: Pick<SqlDatabase, 'query'> | SqlSession,
  table: string,
  options?: CallOptions,
): Promise<TableFacts | undefined> {
  // By pg_class, not by to_regclass alone: a session may remember for a while that there was no such table.
  const text = `select obj_description(oid, 'pg_class') as facts from pg_class where oid = to_regclass($1)`;
  const [row] = await db.query(text, [table], options);
  if (!row) return undefined;
  const facts = parsed(row.facts);
  if (facts?.holds === 'vector-memory' && facts.format === 1) return facts as TableFacts;
  throw new MemoryStorageError('foreign', `The table ${table} is not one of a PostgresVectorMemory`);
}

function parsed(text: unknown): Partial<TableFacts> | undefined {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
