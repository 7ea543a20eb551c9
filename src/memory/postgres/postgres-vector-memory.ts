import {
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  Lifecycle,
  spanKind,
  Telemetry,
} from '../../core/index.js';
import { encodeJSON } from '../../core/internal.js';
import type { Embedding } from '../embedding.js';
import { batchesOf } from '../indexed/batches-of.js';
import { rankHits } from '../indexed/rank-hits.js';
import { readSearch } from '../indexed/search-request.js';
import { checkStoreMany, readStore } from '../local/call-arguments.js';
import { assertId } from '../local/checks.js';
import { checkFilter, filterIn } from '../local/filter/checked-filter.js';
import type { MetadataFilter } from '../local/filter/metadata-filter.js';
import { draftOf } from '../local/item-draft.js';
import {
  checkCall,
  type NamespaceOptions,
  type SelectOptions,
  type StoreItem,
  type StoreManyOptions,
  type StoreOptions,
} from '../local/local-memory-options.js';
import type { Metric } from '../local/metric.js';
import { assertDimension, type VectorInput } from '../local/vector-input.js';
import { assertDimensions, VectorSource } from '../local/vector-source.js';
import { VectorMemoryProvider } from '../vector-memory-provider.js';
import {
  checkPostgresOptions,
  type PostgresSearchOptions,
  type PostgresVectorMemoryOptions,
} from './postgres-memory-options.js';
import { RowSearch } from './row-search.js';
import type { SqlDatabase, SqlResultRow } from './sql-database.js';
import { toEmbedding, toRow } from './vector-row.js';
import { type Statement, VectorStatements } from './vector-statements.js';
import { quoteTable, VectorTable } from './vector-table.js';
import { vectorText } from './vector-text.js';

/**
 * Vectors in PostgreSQL by pgvector, for many processes. Same calls, filters and bad input as
 * `LocalVectorMemory`. Few candidates (by namespace and filter) are all looked at; over many the HNSW
 * index finds most of the nearest. Metadata is kept as JSON: dates come back as ISO 8601 texts.
 *
 * @example
 * const db = new PostgresDatabase({ url: process.env.DATABASE_URL });
 * await using memory = new PostgresVectorMemory({ db, embed });
 * await memory.store('note-1', 'The printer is on floor 2', { kind: 'note' });
 */
export class PostgresVectorMemory extends VectorMemoryProvider implements Closeable {
  readonly #db: SqlDatabase;
  readonly #metric: Metric;
  readonly #model: string | undefined;
  readonly #dimension: number | undefined;
  readonly #source: VectorSource;
  readonly #table: VectorTable;
  readonly #statements: VectorStatements;
  readonly #rows: RowSearch;
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle = new Lifecycle('PostgresVectorMemory');

  /** @throws ConfigurationError */
  constructor(options: PostgresVectorMemoryOptions) {
    super();
    checkPostgresOptions(options);
    const {
      db,
      table = 'vector_memory',
      metric = 'cosine',
      model,
      dimension,
      hnsw = {},
      exactBelow = 10_000,
    } = options;
    const name = quoteTable(table);
    this.#db = db;
    this.#metric = metric;
    this.#model = model;
    this.#dimension = dimension;
    this.#source = new VectorSource('PostgresVectorMemory', metric, options.embed);
    this.#table = new VectorTable(db, name, { metric, model, dimension }, hnsw);
    this.#statements = new VectorStatements(name, metric);
    this.#rows = new RowSearch(db, this.#statements, hnsw, exactBelow);
    this.#telemetry = new Telemetry('memory', options.telemetry);
  }

  /** As `LocalVectorMemory.store`; metadata has to be JSON. @throws what the database throws */
  override async store(
    id: string,
    vector: VectorInput | string,
    metadata?: object,
    options: Omit<StoreOptions, 'dedupe'> = {},
  ): Promise<void> {
    this.#lifecycle.assertOpen();
    const { item, settings } = readStore(id, vector, metadata, options);
    await this.#storeAll('store', [item], settings);
  }

  /** Stores many at once, all or none, in one transaction; texts go to `embed` in one call. */
  async storeMany(items: readonly StoreItem[], options: Omit<StoreManyOptions, 'dedupe'> = {}): Promise<void> {
    this.#lifecycle.assertOpen();
    checkStoreMany(items, options);
    await this.#storeAll('storeMany', items, options);
  }

  /** What is stored under `id`, or null. */
  override async retrieve(id: string, options: NamespaceOptions = {}): Promise<Embedding | null> {
    checkCall.namespace('retrieve', options);
    assertId(id, 'retrieve');
    return await this.#call('retrieve', options, async (scope) => {
      const row = await this.#first(this.#statements.retrieve(id, options.namespace), scope);
      return row ? toEmbedding(row) : null;
    });
  }

  /** As `LocalVectorMemory.search`; exact where `exactBelow` or fewer rows are in question. */
  override search(query: VectorInput | string, limit?: number, threshold?: number): Promise<Embedding[]>;
  override search(query: VectorInput | string, options: PostgresSearchOptions): Promise<Embedding[]>;
  override async search(
    query: VectorInput | string,
    limitOrOptions?: number | PostgresSearchOptions,
    leastSimilarity?: number,
  ): Promise<Embedding[]> {
    const request = readSearch(limitOrOptions, leastSimilarity);
    this.#lifecycle.assertOpen();
    const read = this.#source.read(query, 'query');
    return await this.#call('search', request.options, async (scope) => {
      const [vector] = await this.#source.vectors([read], scope);
      if (!vector) return [];
      const facts = await this.#table.facts(scope);
      assertDimension(vector, facts?.dimension ?? this.#dimension, 'query');
      if (!facts) return [];
      const rows = await this.#rows.nearest(this.#textOf(vector), facts.dimension, request, scope);
      return rankHits(rows.map(toEmbedding), this.#metric, vector, request);
    });
  }

  /** Removes what is stored under `id`. False when there was nothing. */
  override async delete(id: string, options: NamespaceOptions = {}): Promise<boolean> {
    checkCall.namespace('delete', options);
    assertId(id, 'delete');
    return await this.#call('delete', options, async (scope) => {
      const row = await this.#first(this.#statements.delete(id, options.namespace), scope);
      return row?.was_there === true;
    });
  }

  /** Removes the items of a namespace whose metadata matches and says how many; expired ones go too, uncounted. */
  async deleteWhere(filter: MetadataFilter, options: NamespaceOptions = {}): Promise<number> {
    checkCall.namespace('deleteWhere', options);
    checkFilter(filter);
    return await this.#call('deleteWhere', options, async (scope) => {
      const row = await this.#first(this.#statements.deleteWhere(filter, options.namespace), scope);
      return Number(row?.count ?? 0);
    });
  }

  /** How many vectors one namespace holds, or how many of them match. */
  async count(options: SelectOptions = {}): Promise<number> {
    checkCall.select('count', options);
    filterIn(options);
    return await this.#call('count', options, async (scope) => {
      const row = await this.#first(this.#statements.count(options), scope);
      return Number(row?.count ?? 0);
    });
  }

  /** Ends this object; the database stays open. Calls afterwards reject with ClosedError. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #storeAll(call: string, items: readonly StoreItem[], options: StoreManyOptions): Promise<void> {
    // Copied before anything is awaited: the caller may change what it gave.
    const drafts = items.map((item) => ({
      draft: draftOf(item, this.#source, call),
      json: item.metadata === undefined ? null : encodeJSON(item.metadata, `metadata of '${item.id}'`),
    }));
    await this.#call(call, options, async (scope) => {
      const reads = drafts.map(({ draft }) => draft.read);
      const vectors = await this.#source.vectors(reads, scope);
      const [first] = vectors;
      if (!first) return;
      const dimension = this.#dimension ?? (await this.#table.facts(scope))?.dimension ?? first.length;
      assertDimensions(vectors, dimension, reads);
      await this.#table.make(dimension, scope);
      const rows = drafts.map(({ draft, json }, place) =>
        toRow(draft, json, this.#textOf(vectors[place] as Float64Array)),
      );
      const { namespace, ttlMs } = options;
      const statements = batchesOf(rows).map((batch) =>
        this.#statements.store(encodeJSON(batch, 'items'), namespace, ttlMs),
      );
      const [only] = statements;
      if (only && statements.length === 1) await this.#db.query(only.text, only.values, scope);
      else {
        const { signal } = scope;
        await this.#db.transaction(
          async (tx) => {
            for (const { text, values } of statements) await tx.query(text, values);
          },
          { signal },
        );
      }
    });
  }

  /** The first row that a statement gives; none while there is no table. */
  async #first({ text, values }: Statement, scope: CallScope): Promise<SqlResultRow | undefined> {
    if (!(await this.#table.facts(scope))) return undefined;
    const [row] = await this.#db.query(text, values, scope);
    return row;
  }

  #textOf(vector: Float64Array): string {
    return vectorText(vector, this.#metric === 'cosine');
  }

  #call<T>(name: string, options: CallOptions, work: (scope: CallScope) => Promise<T>): Promise<T> {
    const attributes = this.#model === undefined ? {} : { 'safla.memory.model': this.#model };
    return this.#lifecycle.call(`${name} in PostgresVectorMemory`, options, (scope) =>
      this.#telemetry.span({ name: `memory ${name}`, kind: spanKind.client, attributes }, () => work(scope)),
    );
  }
}
