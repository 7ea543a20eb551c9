import {
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  Lifecycle,
  spanKind,
  Telemetry,
  type TelemetryOptions,
} from '../../core/index.js';
import { checkOptions, encodeJSON, is } from '../../core/internal.js';
import type { Embedding } from '../embedding.js';
import { assertId, assertImportance, assertItems, assertLimit, assertThreshold } from '../local/checks.js';
import type { Embed } from '../local/embedder.js';
import { compileFilter, type MetadataFilter } from '../local/filter/metadata-filter.js';
import { draftOf } from '../local/item-draft.js';
import {
  checkCall,
  type NamespaceOptions,
  type SearchOptions,
  type SelectOptions,
  type StoreItem,
  type StoreManyOptions,
  type StoreOptions,
} from '../local/local-memory-options.js';
import type { Metric } from '../local/metric.js';
import { similarityOf } from '../local/similarity.js';
import { assertDimension, type VectorInput } from '../local/vector-input.js';
import { VectorSource } from '../local/vector-source.js';
import { VectorMemoryProvider } from '../vector-memory-provider.js';
import { filterSQL, Parameters } from './filter-sql.js';
import type { SqlDatabase, SqlResultRow } from './sql-database.js';
import {
  assertFacts,
  createTable,
  type HNSWOptions,
  mostIndexed,
  operators,
  quoteTable,
  readFacts,
  type TableFacts,
} from './vector-table.js';
import { readVectorText, vectorText } from './vector-text.js';

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

const alive = '(expires_at is null or expires_at > clock_timestamp())';
const columns = `id, embedding::text as vector, metadata, content, importance,
  extract(epoch from stored_at)::float8 * 1000 as stored`;
/** Neighbours are fetched by float32 arithmetic and ranked by float64: some more than asked, for near ties. */
const spare = 16;
const batchRows = 1_000;

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
  readonly #table: string;
  readonly #metric: Metric;
  readonly #model: string | undefined;
  readonly #hnsw: HNSWOptions | false;
  readonly #exactBelow: number;
  readonly #wantedDimension: number | undefined;
  readonly #source: VectorSource;
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle = new Lifecycle('PostgresVectorMemory');
  #facts: TableFacts | undefined;
  #iterative: boolean | undefined;

  /** @throws ConfigurationError */
  constructor(options: PostgresVectorMemoryOptions) {
    super();
    checkOptions<PostgresVectorMemoryOptions>('PostgresVectorMemory', options, {
      db: is.required(is.object),
      table: is.text,
      dimension: is.count,
      metric: is.oneOf('cosine', 'dot', 'euclidean'),
      model: is.text,
      embed: is.function,
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
    this.#db = options.db;
    this.#table = quoteTable(options.table ?? 'vector_memory');
    this.#metric = options.metric ?? 'cosine';
    this.#model = options.model;
    this.#hnsw = hnsw ?? {};
    this.#exactBelow = options.exactBelow ?? 10_000;
    this.#wantedDimension = dimension;
    this.#source = new VectorSource('PostgresVectorMemory', this.#metric, options.embed);
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
    checkCall.store('store', options);
    const { text, importance, ...rest } = options;
    assertImportance(importance, 'store');
    const given = typeof vector === 'string' ? { text: vector } : { vector, text };
    await this.#storeAll('store', [{ id, metadata, importance, ...given } as StoreItem], rest);
  }

  /** Stores many at once, all or none, in one transaction; texts go to `embed` in one call. */
  async storeMany(items: readonly StoreItem[], options: Omit<StoreManyOptions, 'dedupe'> = {}): Promise<void> {
    this.#lifecycle.assertOpen();
    checkCall.storeMany('storeMany', options);
    assertItems(items, 'storeMany');
    await this.#storeAll('storeMany', items, options);
  }

  /** What is stored under `id`, or null. */
  override async retrieve(id: string, options: NamespaceOptions = {}): Promise<Embedding | null> {
    checkCall.namespace('retrieve', options);
    assertId(id, 'retrieve');
    return await this.#call('retrieve', options, async (scope) => {
      if (!(await this.#ready(scope))) return null;
      const text = `select ${columns} from ${this.#table} where namespace = $1 and id = $2 and ${alive}`;
      const [row] = await this.#db.query(text, [options.namespace ?? '', id], scope);
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
    const options: PostgresSearchOptions = typeof limitOrOptions === 'object' ? limitOrOptions : {};
    checkOptions<PostgresSearchOptions>('search', options, {
      namespace: is.text,
      limit: is.anything,
      threshold: is.anything,
      filter: is.anything,
      signal: is.object,
      timeoutMs: is.milliseconds,
    });
    const limit = (typeof limitOrOptions === 'object' ? limitOrOptions.limit : limitOrOptions) ?? 10;
    const threshold = options.threshold ?? leastSimilarity ?? Number.NEGATIVE_INFINITY;
    assertLimit(limit);
    assertThreshold(threshold);
    if (options.filter !== undefined) compileFilter(options.filter);
    this.#lifecycle.assertOpen();
    const read = this.#source.read(query, 'query');
    return await this.#call('search', options, async (scope) => {
      const [vector] = await this.#source.vectors([read], scope);
      if (!vector) return [];
      const facts = await this.#ready(scope);
      assertDimension(vector, facts?.dimension ?? this.#wantedDimension, 'query');
      if (!facts) return [];
      const rows = await this.#nearest(vector, limit, options, scope);
      const similarity = similarityOf(this.#metric, vector);
      return rows
        .map((row) => {
          const embedding = toEmbedding(row);
          return { ...embedding, similarity: similarity(embedding.vector) };
        })
        .filter((hit) => hit.similarity >= threshold)
        .sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
        .slice(0, limit);
    });
  }

  /** Removes what is stored under `id`. False when there was nothing. */
  override async delete(id: string, options: NamespaceOptions = {}): Promise<boolean> {
    checkCall.namespace('delete', options);
    assertId(id, 'delete');
    return await this.#call('delete', options, async (scope) => {
      if (!(await this.#ready(scope))) return false;
      const text = `delete from ${this.#table} where namespace = $1 and id = $2 returning ${alive} as was_there`;
      const [row] = await this.#db.query(text, [options.namespace ?? '', id], scope);
      return row?.was_there === true;
    });
  }

  /** Removes the items of a namespace whose metadata matches and says how many; expired ones go too, uncounted. */
  async deleteWhere(filter: MetadataFilter, options: NamespaceOptions = {}): Promise<number> {
    checkCall.namespace('deleteWhere', options);
    compileFilter(filter);
    return await this.#call('deleteWhere', options, async (scope) => {
      if (!(await this.#ready(scope))) return 0;
      const parameters = new Parameters();
      const within = `namespace = ${parameters.add(options.namespace ?? '')}`;
      const matches = filterSQL(filter, 'metadata', parameters);
      const text = `with gone as (delete from ${this.#table} where ${within} and (not ${alive} or ${matches}) returning ${alive} as was_there)
        select count(*) filter (where was_there)::int4 as count from gone`;
      const [row] = await this.#db.query(text, parameters.values, scope);
      return Number(row?.count ?? 0);
    });
  }

  /** How many vectors one namespace holds, or how many of them match. */
  async count(options: SelectOptions = {}): Promise<number> {
    checkCall.select('count', options);
    if (options.filter !== undefined) compileFilter(options.filter);
    return await this.#call('count', options, async (scope) => {
      if (!(await this.#ready(scope))) return 0;
      const parameters = new Parameters();
      const where = this.#where(options, parameters);
      const text = `select count(*)::float8 as count from ${this.#table} where ${where}`;
      const [row] = await this.#db.query(text, parameters.values, scope);
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
      const vectors = await this.#source.vectors(
        drafts.map(({ draft }) => draft.read),
        scope,
      );
      const [first] = vectors;
      if (!first) return;
      const dimension = this.#wantedDimension ?? (await this.#ready(scope))?.dimension ?? first.length;
      for (const [place, { draft }] of drafts.entries()) {
        assertDimension(vectors[place] as Float64Array, dimension, draft.read.subject);
      }
      await this.#make(dimension, scope);
      const rows = drafts.map(({ draft: { id, text, importance }, json }, place) => ({
        id,
        vector: vectorText(vectors[place] as Float64Array, this.#metric === 'cosine'),
        metadata: json === null ? null : (JSON.parse(json) as unknown),
        content: text ?? null,
        importance: importance ?? null,
      }));
      // Of items with the same id the last one stays.
      await this.#insert([...new Map(rows.map((row) => [row.id, row])).values()], options, scope);
    });
  }

  async #insert(rows: readonly object[], options: StoreManyOptions, scope: CallScope): Promise<void> {
    const { namespace = '', ttlMs = null } = options;
    const lasts = ttlMs === Number.POSITIVE_INFINITY ? null : ttlMs;
    const text = `insert into ${this.#table} (namespace, id, embedding, metadata, content, importance, expires_at)
      select $1, r.id, r.vector::vector, nullif(r.metadata, 'null'::jsonb), r.content, r.importance,
        clock_timestamp() + $2::float8 * interval '1 millisecond'
      from jsonb_to_recordset($3::jsonb) as r(id text, vector text, metadata jsonb, content text, importance real)
      on conflict (namespace, id) do update set embedding = excluded.embedding, metadata = excluded.metadata,
        content = excluded.content, importance = excluded.importance, stored_at = excluded.stored_at,
        expires_at = excluded.expires_at`;
    const batches = Array.from({ length: Math.ceil(rows.length / batchRows) }, (_, place) =>
      encodeJSON(rows.slice(place * batchRows, (place + 1) * batchRows), 'items'),
    );
    const [only] = batches;
    if (batches.length === 1) await this.#db.query(text, [namespace, lasts, only], scope);
    else {
      await this.#db.transaction(async (tx) => {
        for (const batch of batches) await tx.query(text, [namespace, lasts, batch]);
      }, scopeOptions(scope));
    }
  }

  /** All rows in question where they are few, by the index where they are many. */
  async #nearest(
    vector: Float64Array,
    limit: number,
    options: PostgresSearchOptions,
    scope: CallScope,
  ): Promise<readonly SqlResultRow[]> {
    const parameters = new Parameters();
    const where = this.#where(options, parameters);
    const asked = parameters.add(vectorText(vector, this.#metric === 'cosine'));
    const wanted = parameters.add(limit === Number.POSITIVE_INFINITY ? null : limit + spare);
    const distance = `embedding ${operators[this.#metric].operator} ${asked}::vector`;
    const exact = `with candidates as materialized (select * from ${this.#table} where ${where})
      select ${columns} from candidates order by ${distance}, id limit ${wanted}::int8`;
    if (!(await this.#prefersIndex(limit, options, scope)))
      return await this.#db.query(exact, parameters.values, scope);
    const { efSearch: search = 100 } = this.#hnsw || {};
    const ef = Math.min(1_000, Math.max(search, limit + spare));
    return await this.#db.transaction(async (tx) => {
      await tx.query(
        `select set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'strict_order', true)`,
        [String(ef)],
      );
      const text = `select ${columns} from ${this.#table} where ${where} order by ${distance} limit ${wanted}::int8`;
      return await tx.query(text, parameters.values);
    }, scopeOptions(scope));
  }

  async #prefersIndex(limit: number, options: PostgresSearchOptions, scope: CallScope): Promise<boolean> {
    if (!this.#hnsw || limit + spare > 1_000 || (this.#facts?.dimension ?? 0) > mostIndexed) return false;
    const parameters = new Parameters();
    const where = this.#where(options, parameters);
    const most = parameters.add(this.#exactBelow + 1);
    const text = `select count(*)::int4 as count from (select 1 from ${this.#table} where ${where} limit ${most}::int8) as found`;
    const [row] = await this.#db.query(text, parameters.values, scope);
    return Number(row?.count ?? 0) > this.#exactBelow && (await this.#scansOn(scope));
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

  #where({ namespace = '', filter }: SelectOptions, parameters: Parameters): string {
    const within = `namespace = ${parameters.add(namespace)} and ${alive}`;
    return filter === undefined ? within : `${within} and ${filterSQL(filter, 'metadata', parameters)}`;
  }

  /** What the table is for; undefined while there is none. */
  async #ready(scope: CallScope): Promise<TableFacts | undefined> {
    if (this.#facts) return this.#facts;
    const facts = await readFacts(this.#db, this.#table, scope);
    if (facts) this.#accept(facts);
    return facts;
  }

  async #make(dimension: number, scope: CallScope): Promise<void> {
    if (await this.#ready(scope)) return;
    const model = this.#model ?? null;
    const facts: TableFacts = { format: 1, holds: 'vector-memory', metric: this.#metric, dimension, model };
    await this.#db.transaction((tx) => createTable(tx, this.#table, facts, this.#hnsw), scopeOptions(scope));
    const made = await readFacts(this.#db, this.#table, scope);
    if (made) this.#accept(made);
  }

  #accept(facts: TableFacts): void {
    const dimension = this.#wantedDimension ?? facts.dimension;
    assertFacts(facts, { metric: this.#metric, model: this.#model ?? null, dimension }, this.#table);
    this.#facts = facts;
  }

  #call<T>(name: string, options: CallOptions, work: (scope: CallScope) => Promise<T>): Promise<T> {
    const attributes = this.#model === undefined ? {} : { 'safla.memory.model': this.#model };
    return this.#lifecycle.call(`${name} in PostgresVectorMemory`, options, (scope) =>
      this.#telemetry.span({ name: `memory ${name}`, kind: spanKind.client, attributes }, () => work(scope)),
    );
  }
}

function scopeOptions(scope: CallScope): CallOptions {
  return { signal: scope.signal };
}

function toEmbedding(row: SqlResultRow): Embedding {
  const embedding: Embedding = {
    id: row.id as string,
    vector: readVectorText(row.vector as string),
    timestamp: Math.round(row.stored as number),
  };
  if (row.metadata !== null) embedding.metadata = row.metadata as Record<string, unknown>;
  if (row.content !== null) embedding.text = row.content as string;
  if (row.importance !== null) embedding.importance = row.importance as number;
  return embedding;
}
