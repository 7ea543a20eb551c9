import { type CallOptions, ConfigurationError, UnsupportedError } from '../../core/index.js';
import type { Metric } from '../local/metric.js';
import { MemoryStorageError } from '../memory-storage-error.js';
import type { SqlDatabase, SqlSession } from './sql-database.js';

/** Settings of pgvector's HNSW index. */
export interface HNSWOptions {
  /** Connections of each vector. @default 16 */
  readonly m?: number;
  /** Candidates while the index is built. @default 64 */
  readonly efConstruction?: number;
  /** Candidates of a search; raised to the limit of the search. @default 100 */
  readonly efSearch?: number;
}

/** What a table of vectors is for. Kept as the comment of the table. */
export interface TableFacts {
  readonly format: 1;
  readonly holds: 'vector-memory';
  readonly metric: Metric;
  readonly dimension: number;
  readonly model: string | null;
}

/** pgvector's operator and its class of an index, by metric. */
export const operators: Readonly<Record<Metric, { readonly operator: string; readonly indexClass: string }>> = {
  cosine: { operator: '<=>', indexClass: 'vector_cosine_ops' },
  dot: { operator: '<#>', indexClass: 'vector_ip_ops' },
  euclidean: { operator: '<->', indexClass: 'vector_l2_ops' },
};

/** Of pgvector's HNSW index over `vector`. */
export const mostIndexed = 2_000;

/** `shop.notes` as `"shop"."notes"`. @throws ConfigurationError for anything but one or two plain names */
export function quoteTable(table: string): string {
  const names = table.split('.');
  if (names.length > 2 || !names.every((name) => /^[A-Za-z_]\w{0,62}$/.test(name))) {
    const field = 'PostgresVectorMemory.table';
    throw new ConfigurationError(`${field} must be a name, or a schema and a name`, { field });
  }
  return names.map((name) => `"${name}"`).join('.');
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

/** @throws MemoryStorageError `mismatch` */
export function assertFacts(facts: TableFacts, wanted: Partial<TableFacts>, table: string): void {
  for (const key of ['metric', 'dimension', 'model'] as const) {
    const [has, asked] = [facts[key], wanted[key]];
    if (asked === undefined || asked === null || has === null || has === asked) continue;
    const text = `The table ${table} holds vectors of ${key} ${has}, not ${asked}. Nothing was changed; use another table.`;
    throw new MemoryStorageError('mismatch', text);
  }
}

/** Makes the table, its indexes and, where it is missing, the extension. Processes that do so at once take turns. */
export async function createTable(
  tx: SqlSession,
  table: string,
  facts: TableFacts,
  hnsw: HNSWOptions | false,
): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('safla vector memory ' || $1))`, [table]);
  if (await readFacts(tx, table)) return;
  const [extension] = await tx.query(`select 1 from pg_extension where extname = 'vector'`);
  if (!extension) await createExtension(tx);
  await tx.query(`create table ${table} (
    namespace text not null, id text not null, embedding vector(${facts.dimension}) not null,
    metadata jsonb, content text, importance real,
    stored_at timestamptz not null default clock_timestamp(), expires_at timestamptz,
    primary key (namespace, id))`);
  await tx.query(`create index on ${table} using gin (metadata jsonb_path_ops)`);
  await tx.query(`create index on ${table} (expires_at) where expires_at is not null`);
  if (hnsw && facts.dimension <= mostIndexed) {
    const { m = 16, efConstruction = 64 } = hnsw;
    const { indexClass } = operators[facts.metric];
    await tx.query(
      `create index on ${table} using hnsw (embedding ${indexClass}) with (m = ${m}, ef_construction = ${efConstruction})`,
    );
  }
  // A comment takes no parameters.
  await tx.query(`comment on table ${table} is '${JSON.stringify(facts).replaceAll("'", "''")}'`);
}

/** @throws UnsupportedError where the server has no pgvector */
async function createExtension(tx: SqlSession): Promise<void> {
  const [offered] = await tx.query(`select 1 from pg_available_extensions where name = 'vector'`);
  if (!offered) {
    const text =
      'The PostgreSQL server has no pgvector; install it there (https://github.com/pgvector/pgvector), or use LocalVectorMemory';
    throw new UnsupportedError(text);
  }
  await tx.query('create extension if not exists vector');
}

function parsed(text: unknown): Partial<TableFacts> | undefined {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
