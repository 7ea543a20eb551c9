import { UnsupportedError } from '../../core/index.js';
import { mostIndexed, operators } from './pgvector.js';
import type { HNSWOptions } from './postgres-memory-options.js';
import type { SqlSession } from './sql-database.js';
import { readFacts, type TableFacts } from './table-facts.js';

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
