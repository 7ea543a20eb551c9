import { createHash } from 'node:crypto';
import type { ZVecCollection, ZVecDoc, ZVecStatus } from '@zvec/zvec';
import {
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  Lifecycle,
  ValidationError,
} from '../../core/index.js';
import { checkOptions, encodeJSON, is } from '../../core/internal.js';
import type { Embedding } from '../embedding.js';
import { assertId, assertItems, assertLimit, assertThreshold } from '../local/checks.js';
import type { Embed } from '../local/embedder.js';
import { compileFilter, type MetadataTest, valueAt } from '../local/filter/metadata-filter.js';
import { draftOf, type ItemDraft } from '../local/item-draft.js';
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
import { MemoryStorageError } from '../memory-storage-error.js';
import { VectorMemoryProvider } from '../vector-memory-provider.js';
import { type FilterColumns, pushedFilter } from './pushed-filter.js';
import {
  createCollection,
  type FolderFacts,
  loadZvec,
  openCollection,
  readFacts,
  zvecFailure,
} from './zvec-collection.js';

/** What a metadata field with a column of its own holds. */
export type ZvecFieldType = 'text' | 'number';

/** Options of {@link ZvecVectorMemory}. */
export interface ZvecVectorMemoryOptions {
  /** Folder of the vectors, made with the first one. One process at a time may have it open. */
  readonly path: string;
  /** Length of every vector. @default that of the first vector stored */
  readonly dimension?: number;
  /** As for `LocalVectorMemory`. @default 'cosine' */
  readonly metric?: Metric;
  /** Names the embedding model; a folder of another one is refused. */
  readonly model?: string;
  /** Makes vectors of texts. Without it only vectors can be stored and searched for. */
  readonly embed?: Embed;
  /**
   * Metadata fields (dots for nested ones) that zvec indexes, so that filters on them are applied while it
   * searches. Items have a value of this type there or none. Filters on other fields look at ever more
   * neighbours until enough match. Fixed with the first vector. @default none
   */
  readonly fields?: Readonly<Record<string, ZvecFieldType>>;
  /** Connections of each vector in the HNSW index. @default 16 */
  readonly m?: number;
  /** Candidates while the index is built. @default 200 */
  readonly efConstruction?: number;
  /** Candidates of a search; raised to what the search asks for. @default 200 */
  readonly efSearch?: number;
  /** With this many vectors or fewer a search looks at all of them, which is exact. @default 10000 */
  readonly exactBelow?: number;
}

/** Searches of {@link ZvecVectorMemory}: by vector and filter. */
export type ZvecSearchOptions = Omit<SearchOptions, 'text' | 'decay' | 'mmr'>;

/** An item beside its vector, as JSON in a column. */
interface ItemFacts {
  readonly id: string;
  readonly metadata?: Record<string, unknown>;
  readonly text?: string;
  readonly importance?: number;
}

const never = Number.MAX_SAFE_INTEGER;
const batchRows = 1_000;
const spare = 16;

/**
 * Vectors in files by zvec, its HNSW index mapped into memory: for more than fit into memory. Same calls
 * and bad input as `LocalVectorMemory`; metadata is kept as JSON. Stores run on the calling thread,
 * searches do not.
 *
 * @example
 * await using memory = new ZvecVectorMemory({ path: './vectors', fields: { kind: 'text' } });
 * await memory.store('note-1', vector, { kind: 'note' });
 */
export class ZvecVectorMemory extends VectorMemoryProvider implements Closeable {
  readonly #options: ZvecVectorMemoryOptions;
  readonly #metric: Metric;
  readonly #source: VectorSource;
  readonly #lifecycle: Lifecycle = new Lifecycle('ZvecVectorMemory');
  #opening: Promise<void> | undefined;
  #collection: ZVecCollection | undefined;
  #facts: FolderFacts | undefined;
  #columns: FilterColumns = new Map();

  /** @throws ConfigurationError */
  constructor(options: ZvecVectorMemoryOptions) {
    super();
    checkOptions<ZvecVectorMemoryOptions>('ZvecVectorMemory', options, {
      path: is.required(is.text),
      dimension: is.count,
      metric: is.oneOf('cosine', 'dot', 'euclidean'),
      model: is.text,
      embed: is.function,
      fields: (value, field) => {
        is.object(value, field);
        for (const [name, type] of Object.entries(value as object)) {
          is.oneOf('text', 'number')(type, `${field}.${name}`);
        }
      },
      m: is.count,
      efConstruction: is.count,
      efSearch: is.count,
      exactBelow: is.countOrZero,
    });
    this.#options = options;
    this.#metric = options.metric ?? 'cosine';
    this.#source = new VectorSource('ZvecVectorMemory', this.#metric, options.embed);
  }

  /** As `LocalVectorMemory.store`; metadata has to be JSON. @throws MissingDependencyError MemoryStorageError */
  override async store(
    id: string,
    vector: VectorInput | string,
    metadata?: object,
    options: Omit<StoreOptions, 'dedupe'> = {},
  ): Promise<void> {
    this.#lifecycle.assertOpen();
    checkCall.store('store', options);
    const { text, importance, ...rest } = options;
    const given = typeof vector === 'string' ? { text: vector } : { vector, text };
    await this.#storeAll('store', [{ id, metadata, importance, ...given } as StoreItem], rest);
  }

  /** Stores many, in batches of 1,000; texts go to `embed` in one call. Of items with the same id the last one stays. */
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
    return await this.#call('retrieve', options, async () => {
      const document = this.#fetch(keyOf(options.namespace, id));
      return document ? toEmbedding(document) : null;
    });
  }

  /** As `LocalVectorMemory.search`; exact with `exactBelow` vectors or fewer, by the index with more. */
  override search(query: VectorInput | string, limit?: number, threshold?: number): Promise<Embedding[]>;
  override search(query: VectorInput | string, options: ZvecSearchOptions): Promise<Embedding[]>;
  override async search(
    query: VectorInput | string,
    limitOrOptions?: number | ZvecSearchOptions,
    leastSimilarity?: number,
  ): Promise<Embedding[]> {
    const options: ZvecSearchOptions = typeof limitOrOptions === 'object' ? limitOrOptions : {};
    checkOptions<ZvecSearchOptions>('search', options, {
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
    const accepts = options.filter === undefined ? undefined : compileFilter(options.filter);
    this.#lifecycle.assertOpen();
    const read = this.#source.read(query, 'query');
    return await this.#call('search', options, async (scope) => {
      const [vector] = await this.#source.vectors([read], scope);
      if (!vector) return [];
      assertDimension(vector, this.#facts?.dimension ?? this.#options.dimension, 'query');
      const similarity = similarityOf(this.#metric, vector);
      const documents = await this.#nearest(vector, limit, options, accepts, scope);
      return documents
        .map((document) => {
          const embedding = toEmbedding(document);
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
    return await this.#call('delete', options, async () => {
      const key = keyOf(options.namespace, id);
      const present = this.#fetch(key) !== undefined;
      if (present) this.#assertDone(this.#use((collection) => [collection.deleteSync(key)]) ?? []);
      return present;
    });
  }

  /** How many vectors one namespace holds, or how many of them match. Reads the facts of all vectors. */
  async count(options: SelectOptions = {}): Promise<number> {
    checkCall.select('count', options);
    const accepts = options.filter === undefined ? undefined : compileFilter(options.filter);
    return await this.#call('count', options, async () => {
      const scope = scopeOf(options.namespace);
      const now = Date.now();
      let count = 0;
      this.#use((collection) => {
        const outputFields = accepts ? ['scope', 'expires', 'item'] : ['scope', 'expires'];
        for (const { fields } of collection.iterDocsSync({ includeVector: false, outputFields })) {
          if (fields.scope !== scope || !(fields.expires > now)) continue;
          if (!accepts || accepts(factsOf(fields).metadata)) count += 1;
        }
      });
      return count;
    });
  }

  /** Builds the index over what was stored last and drops what was replaced: searches are faster then. */
  async optimize(options: CallOptions = {}): Promise<void> {
    await this.#call('optimize', { timeoutMs: Number.POSITIVE_INFINITY, ...options }, async () => {
      await this.#use((collection) => collection.optimize())?.catch((error: unknown) => {
        throw zvecFailure(this.#options.path, error);
      });
    });
  }

  /** Closes the files. Calls afterwards reject with ClosedError. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async () => {
      await this.#opening?.catch(() => undefined);
      this.#use((collection) => collection.closeSync());
      this.#collection = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #storeAll(call: string, items: readonly StoreItem[], options: StoreManyOptions): Promise<void> {
    // Copied before anything is awaited: the caller may change what it gave.
    const drafts = items.map((item) => {
      const draft = draftOf(item, this.#source, call);
      const { id, text, importance } = draft;
      const metadata = item.metadata === undefined ? {} : { metadata: item.metadata };
      const facts = { id, ...metadata, ...(text === undefined ? {} : { text }), importance };
      return { draft, json: encodeJSON(facts, `metadata of '${id}'`) };
    });
    await this.#call(call, options, async (scope) => {
      const vectors = await this.#source.vectors(
        drafts.map(({ draft }) => draft.read),
        scope,
      );
      const dimension = this.#facts?.dimension ?? this.#options.dimension ?? vectors[0]?.length;
      if (dimension === undefined) return;
      for (const [place, { draft }] of drafts.entries()) {
        assertDimension(vectors[place] as Float64Array, dimension, draft.read.subject);
      }
      await this.#make(dimension);
      const { namespace, ttlMs = Number.POSITIVE_INFINITY } = options;
      const [stored, expires] = [Date.now(), Math.min(never, Date.now() + ttlMs)];
      const rows = drafts.map(({ draft, json }, place) => ({
        id: keyOf(namespace, draft.id),
        vectors: { vector: Float32Array.from(vectors[place] as Float64Array) },
        fields: {
          scope: scopeOf(namespace),
          expires,
          stored: Math.floor(stored),
          item: json,
          ...this.#fieldsOf(draft),
        },
      }));
      const latest = [...new Map(rows.map((row) => [row.id, row])).values()];
      for (let from = 0; from < latest.length; from += batchRows) {
        scope.throwIfCancelled();
        const batch = latest.slice(from, from + batchRows);
        this.#assertDone(this.#use((collection) => collection.upsertSync(batch)) ?? []);
      }
    });
  }

  #fieldsOf({ id, metadata }: ItemDraft): Record<string, string | number> {
    const fields: Record<string, string | number> = {};
    for (const [name, { column, type }] of this.#columns) {
      const value = valueAt(metadata, name.split('.'));
      if (value === undefined || value === null) continue;
      if (typeof value !== (type === 'text' ? 'string' : 'number')) {
        const message = `of '${id}' must be a ${type}, as the option fields says`;
        throw new ValidationError('store', [{ path: ['metadata', ...name.split('.')], message }]);
      }
      fields[column] = value as string | number;
    }
    return fields;
  }

  /** The nearest that a filter accepts: of ever more neighbours, until there are enough or no more. */
  async #nearest(
    vector: Float64Array,
    limit: number,
    { namespace, filter }: ZvecSearchOptions,
    accepts: MetadataTest | undefined,
    scope: CallScope,
  ): Promise<ZVecDoc[]> {
    const collection = this.#collection;
    if (!collection) return [];
    const { ZVecIndexType } = await loadZvec();
    const { exactBelow = 10_000, efSearch = 200 } = this.#options;
    const pushed = filter && pushedFilter(filter, this.#columns);
    const expression = `scope = '${scopeOf(namespace)}' and expires > ${Date.now()}${pushed ? ` and ${pushed}` : ''}`;
    const { docCount } = collection.stats;
    const indexType = ZVecIndexType.HNSW;
    for (let topk = Math.min(docCount, limit + spare); docCount > 0; topk = Math.min(docCount, topk * 8)) {
      const isLinear = docCount <= exactBelow || topk > docCount / 4;
      const params = isLinear ? { indexType, isLinear } : { indexType, ef: Math.max(efSearch, topk) };
      const query = {
        fieldName: 'vector',
        vector: Float32Array.from(vector),
        topk,
        filter: expression,
        includeVector: true,
      };
      const found = await collection.query({ ...query, params }).catch((error: unknown) => {
        throw zvecFailure(this.#options.path, error);
      });
      scope.throwIfCancelled();
      const wanted = accepts ? found.filter(({ fields }) => accepts(factsOf(fields).metadata)) : found;
      if (wanted.length >= limit || found.length < topk || topk >= docCount) return wanted;
    }
    return [];
  }

  #fetch(key: string): ZVecDoc | undefined {
    const document = this.#use((collection) => collection.fetchSync(key)[key]);
    return document && document.fields.expires > Date.now() ? document : undefined;
  }

  /** Calls zvec; undefined while there is no collection. */
  #use<T>(call: (collection: ZVecCollection) => T): T | undefined {
    if (!this.#collection) return undefined;
    try {
      return call(this.#collection);
    } catch (error) {
      throw zvecFailure(this.#options.path, error);
    }
  }

  #assertDone(statuses: readonly ZVecStatus[]): void {
    const failed = statuses.find(({ ok }) => !ok);
    if (failed) throw zvecFailure(this.#options.path, failed);
  }

  async #open(): Promise<void> {
    if (this.#collection) return;
    this.#opening ??= this.#openFolder().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async #openFolder(): Promise<void> {
    const { path, dimension, model = null } = this.#options;
    const facts = await readFacts(path);
    if (!facts) return;
    const wanted = { metric: this.#metric, dimension: dimension ?? facts.dimension, model };
    for (const key of ['metric', 'dimension', 'model'] as const) {
      if (wanted[key] === null || facts[key] === null || wanted[key] === facts[key]) continue;
      const text = `${path} holds vectors of ${key} ${facts[key]}, not ${wanted[key]}. Nothing was changed; use another path.`;
      throw new MemoryStorageError('mismatch', text);
    }
    this.#collection = await openCollection(path);
    this.#accept(facts);
  }

  async #make(dimension: number): Promise<void> {
    if (this.#collection) return;
    this.#opening ??= this.#create(dimension).finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async #create(dimension: number): Promise<void> {
    const { path, model = null, m = 16, efConstruction = 200, fields = {} } = this.#options;
    const kept = Object.entries(fields);
    const holds = 'vector-memory-zvec';
    const facts: FolderFacts = { format: 1, holds, metric: this.#metric, dimension, model, fields: kept };
    this.#collection = await createCollection(path, facts, { m, efConstruction });
    this.#accept(facts);
  }

  #accept(facts: FolderFacts): void {
    this.#facts = facts;
    this.#columns = new Map(facts.fields.map(([name, type], place) => [name, { column: `field${place}`, type }]));
  }

  #call<T>(name: string, options: CallOptions, work: (scope: CallScope) => Promise<T>): Promise<T> {
    return this.#lifecycle.call(`${name} in ZvecVectorMemory`, options, async (scope) => {
      await this.#open();
      return await work(scope);
    });
  }
}

/** Keys of zvec are short and plain: a hash stands for the namespace and the id. */
function keyOf(namespace: string | undefined, id: string): string {
  return createHash('sha256')
    .update(JSON.stringify([namespace ?? '', id]))
    .digest('hex');
}

function scopeOf(namespace: string | undefined): string {
  return createHash('sha256')
    .update(namespace ?? '')
    .digest('hex')
    .slice(0, 32);
}

function factsOf(fields: ZVecDoc['fields']): ItemFacts {
  return JSON.parse(fields.item as string) as ItemFacts;
}

function toEmbedding({ fields, vectors }: ZVecDoc): Embedding {
  const components = vectors.vector as Float32Array | number[];
  return { ...factsOf(fields), vector: Array.from(components), timestamp: fields.stored as number };
}
