import type { CallScope } from '../../core/index.js';
import { spareNeighbours } from '../indexed/rank-hits.js';
import type { SearchRequest } from '../indexed/search-request.js';
import { mostIndexed } from './pgvector.js';
import type { HNSWOptions } from './postgres-memory-options.js';
import type { SqlDatabase, SqlResultRow } from './sql-database.js';
import type { VectorStatements } from './vector-statements.js';

/** pgvector's bound of `hnsw.ef_search`. */
const mostCandidates = 1_000;

/** Finds the rows nearest to a vector: looks at all in question where they are few, asks the index where they are many. */
export class RowSearch {
  readonly #db: SqlDatabase;
  readonly #statements: VectorStatements;
  readonly #hnsw: HNSWOptions | false;
  readonly #exactBelow: number;
  #iterative: boolean | undefined;

  constructor(db: SqlDatabase, statements: VectorStatements, hnsw: HNSWOptions | false, exactBelow: number) {
    this.#db = db;
    this.#statements = statements;
    this.#hnsw = hnsw;
    this.#exactBelow = exactBelow;
  }

  /**
   * Some more rows than the request's limit, nearest first.
   *
   * @param vector as pgvector reads it
   * @param dimension of the table
   */
  async nearest(
    vector: string,
    dimension: number,
    { limit, options }: SearchRequest,
    scope: CallScope,
  ): Promise<readonly SqlResultRow[]> {
    const wanted = limit + spareNeighbours;
    const isIndexed = this.#hnsw && wanted <= mostCandidates && dimension <= mostIndexed;
    if (!isIndexed || !(await this.#areMany(options, scope)) || !(await this.#scansOn(scope))) {
      const { text, values } = this.#statements.nearestOfAll(vector, wanted, options);
      return await this.#db.query(text, values, scope);
    }
    const { efSearch = 100 } = this.#hnsw || {};
    const ef = Math.min(mostCandidates, Math.max(efSearch, wanted));
    const { signal } = scope;
    return await this.#db.transaction(
      async (tx) => {
        await tx.query(
          `select set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'strict_order', true)`,
          [String(ef)],
        );
        const { text, values } = this.#statements.nearestByIndex(vector, wanted, options);
        return await tx.query(text, values);
      },
      { signal },
    );
  }

  async #areMany(options: SearchRequest['options'], scope: CallScope): Promise<boolean> {
    const { text, values } = this.#statements.countUpTo(this.#exactBelow + 1, options);
    const [row] = await this.#db.query(text, values, scope);
    return Number(row?.count ?? 0) > this.#exactBelow;
  }

  /** Whether an index scan goes on until enough rows match: before pgvector 0.8 filters and namespaces would cost recall. */
  async #scansOn(scope: CallScope): Promise<boolean> {
    if (this.#iterative === undefined) {
      const [row] = await this.#db.query(`select extversion from pg_extension where extname = 'vector'`, [], scope);
      const [major = 0, minor = 0] = String(row?.extversion).split('.').map(Number);
      this.#iterative = major > 0 || minor >= 8;
    }
    return this.#iterative;
  }
}
