import { ConfigurationError, type TelemetryOptions } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { Embed } from '../local/embedder.js';
import { type SearchOptions, vectorChecks } from '../local/local-memory-options.js';
import type { Metric } from '../local/metric.js';
import { mostIndexed } from './pgvector.js';
import type { SqlDatabase } from './sql-database.js';

/** Settings of pgvector's HNSW index. */
export interface HNSWOptions {
  /** Connections of each vector. @default 16 */
  readonly m?: number;
  /** Candidates while the index is built. @default 64 */
  readonly efConstruction?: number;
  /** Candidates of a search; raised to the limit of the search. @default 100 */
  readonly efSearch?: number;
}

/** Options of {@link PostgresVectorMemory}. */
export interface PostgresVectorMemoryOptions {
  /** Stays yours: it is not closed. A `PostgresDatabase` fits. Needs pgvector; before 0.8 every search is exact. */
  readonly db: SqlDatabase;
  /** The table, made with the first vector; `schema.name` for another schema. @default 'vector_memory' */
  readonly table?: string;
  /** Length of every vector. @default that of the first vector stored */
  readonly dimension?: number;
  /** As for `LocalVectorMemory`. @default 'cosine' */
  readonly metric?: Metric;
  /** Names the embedding model; a table of another one is refused. */
  readonly model?: string;
  /** Makes vectors of texts. Without it only vectors can be stored and searched for. */
  readonly embed?: Embed;
  /** The index that is made with the table; vectors of over 2000 components have none. `false` keeps every search exact. */
  readonly hnsw?: HNSWOptions | false;
  /**
   * A search whose namespace and filter leave this many rows or fewer looks at all of them, which is exact;
   * over more it asks the index. @default 10000
   */
  readonly exactBelow?: number;
  readonly telemetry?: TelemetryOptions;
}

/** Searches of {@link PostgresVectorMemory}: by vector and filter. */
export type PostgresSearchOptions = Omit<SearchOptions, 'text' | 'decay' | 'mmr'>;

/** @throws ConfigurationError */
export function checkPostgresOptions(options: PostgresVectorMemoryOptions): void {
  checkOptions<PostgresVectorMemoryOptions>('PostgresVectorMemory', options, {
    db: is.required(is.object),
    table: is.text,
    ...vectorChecks,
    hnsw: is.either(
      'false or an options object',
      is.oneOf(false),
      is.options<HNSWOptions>({ m: is.count, efConstruction: is.count, efSearch: is.count }),
    ),
    exactBelow: is.countOrZero,
    telemetry: is.object,
  });
  const { dimension, hnsw } = options;
  if (hnsw && dimension !== undefined && dimension > mostIndexed) {
    const message = `pgvector indexes vectors of ${mostIndexed} components at most; leave hnsw out or make it false`;
    throw new ConfigurationError(message, { field: 'PostgresVectorMemory.hnsw' });
  }
}
