import {
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  Lifecycle,
  QueueFullError,
  spanKind,
  Telemetry,
  ValidationError,
} from '../core/index.js';
import type { Embedding } from './embedding.js';
import { assertId, assertLimit, assertThreshold, copyMetadata } from './local/checks.js';
import { type Embed, embedTexts } from './local/embedder.js';
import {
  checkMemoryOptions,
  checkNamespaceOptions,
  checkSearchOptions,
  checkStoreOptions,
  type LocalVectorMemoryOptions,
  type NamespaceOptions,
  type SearchOptions,
  type StoreItem,
  type StoreManyOptions,
  type StoreOptions,
} from './local/local-memory-options.js';
import { compileFilter } from './local/metadata-filter.js';
import type { Metric } from './local/metric.js';
import { VectorCollection } from './local/vector-collection.js';
import { assertDimension, readVector, type VectorInput } from './local/vector-input.js';
import { VectorMemoryProvider } from './vector-memory-provider.js';

/** What a {@link LocalVectorMemory} holds. */
export interface VectorMemoryStats {
  readonly items: number;
  readonly namespaces: number;
  /** Undefined until the first vector is stored, unless it was given. */
  readonly dimension: number | undefined;
  readonly metric: Metric;
  readonly model: string | undefined;
  /** Bytes of the vectors; metadata comes on top. */
  readonly vectorBytes: number;
}

const defaultNamespace = '';
const defaultMaxItems = 1_000_000;

/**
 * Vectors within this process, nothing to install. Search looks at every vector of the namespace, so
 * its result is exact: float64 arithmetic over vectors stored as float32, equal similarities ordered by
 * id. It runs on the calling thread. What goes in and comes out is copied.
 *
 * @example
 * await using memory = new LocalVectorMemory({ embed });
 * await memory.store('note-1', 'The printer is on floor 2', { kind: 'note' });
 * const hits = await memory.search('where is the printer?', { limit: 3, filter: { kind: 'note' } });
 */
export class LocalVectorMemory extends VectorMemoryProvider implements Closeable {
  readonly #metric: Metric;
  readonly #model: string | undefined;
  readonly #embed: Embed | undefined;
  readonly #maxItems: number;
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle = new Lifecycle('LocalVectorMemory');
  readonly #collections: Map<string, VectorCollection> = new Map();
  #dimension: number | undefined;
  /** Vectors in all namespaces. */
  #size = 0;

  /** @throws ConfigurationError */
  constructor(options: LocalVectorMemoryOptions = {}) {
    super();
    checkMemoryOptions(options);
    this.#dimension = options.dimension;
    this.#metric = options.metric ?? 'cosine';
    this.#model = options.model;
    this.#embed = options.embed;
    this.#maxItems = options.maxItems ?? defaultMaxItems;
    this.#telemetry = new Telemetry('memory', options.telemetry);
  }

  /**
   * Stores a vector, or the vector of a text, under `id`, in place of what was there.
   *
   * @param metadata an object that can be copied by `structuredClone`
   * @throws ValidationError for a wrong dimension, components that are not finite, a zero vector under cosine, an id that is empty or over 1024 bytes, metadata that cannot be copied
   * @throws ConfigurationError for a text without `embed`, QueueFullError over `maxItems`, ClosedError
   */
  override async store(
    id: string,
    vector: VectorInput | string,
    metadata?: object,
    options: StoreOptions = {},
  ): Promise<void> {
    const source = typeof vector === 'string' ? { text: vector } : { vector };
    await this.#storeAll('store', [{ id, ...source, ...(metadata === undefined ? {} : { metadata }) }], options);
  }

  /**
   * Stores many at once, all or none; texts go to `embed` in one call. Of items with the same id the
   * last one stays.
   *
   * @throws as {@link LocalVectorMemory.store}
   */
  async storeMany(items: readonly StoreItem[], options: StoreManyOptions = {}): Promise<void> {
    await this.#storeAll('storeMany', items, options);
  }

  /** A copy of what is stored under `id`, its components as float32 holds them, or null. */
  override async retrieve(id: string, options: NamespaceOptions = {}): Promise<Embedding | null> {
    this.#assertCall('retrieve', options);
    assertId(id, 'retrieve');
    return this.#live(options.namespace)?.get(id) ?? null;
  }

  /**
   * The vectors nearest to a vector or to the vector of a text, nearest first, each with its
   * `similarity`. Without a threshold there are always `limit` hits where so many are stored.
   *
   * @param limitOrOptions the limit (default 10), or all settings
   * @throws ValidationError for a query as in {@link LocalVectorMemory.store}, a limit that is not a whole number of 1 or more or Infinity, a threshold that is not a number, or a bad filter
   */
  override search(query: VectorInput | string, limit?: number, threshold?: number): Promise<Embedding[]>;
  override search(query: VectorInput | string, options: SearchOptions): Promise<Embedding[]>;
  override async search(
    query: VectorInput | string,
    limitOrOptions?: number | SearchOptions,
    leastSimilarity?: number,
  ): Promise<Embedding[]> {
    const options = searchOptions(limitOrOptions, leastSimilarity);
    checkSearchOptions(options);
    const { namespace, limit = 10, threshold = Number.NEGATIVE_INFINITY, filter } = options;
    assertLimit(limit);
    assertThreshold(threshold);
    const accepts = filter === undefined ? undefined : compileFilter(filter);
    this.#lifecycle.assertOpen();
    const read = this.#read(query, 'query');
    return this.#call('search', options, async (scope) => {
      const [vector] = await this.#vectors([read], scope);
      const collection = this.#live(namespace);
      if (!vector) return [];
      assertDimension(vector, this.#dimension, 'query');
      return collection?.search({ metric: this.#metric, vector, limit, threshold, accepts }) ?? [];
    });
  }

  /** Removes what is stored under `id`. False when there was nothing. */
  override async delete(id: string, options: NamespaceOptions = {}): Promise<boolean> {
    this.#assertCall('delete', options);
    assertId(id, 'delete');
    const { namespace = defaultNamespace } = options;
    const collection = this.#live(namespace);
    const deleted = collection?.delete(id) ?? false;
    if (deleted) this.#size -= 1;
    if (collection?.size === 0) this.#collections.delete(namespace);
    return deleted;
  }

  /** How many vectors one namespace holds. */
  async count(options: NamespaceOptions = {}): Promise<number> {
    this.#assertCall('count', options);
    return this.#live(options.namespace)?.size ?? 0;
  }

  /** What is held in all namespaces. */
  stats(): VectorMemoryStats {
    this.#expire();
    const collections = [...this.#collections.values()];
    return {
      items: this.#size,
      namespaces: collections.length,
      dimension: this.#dimension,
      metric: this.#metric,
      model: this.#model,
      vectorBytes: collections.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Forgets everything. Calls afterwards reject with ClosedError. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => this.#collections.clear());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #storeAll(call: string, items: readonly StoreItem[], options: StoreManyOptions): Promise<void> {
    this.#lifecycle.assertOpen();
    checkStoreOptions(call, options);
    const { namespace = defaultNamespace, ttlMs = Number.POSITIVE_INFINITY } = options;
    // Before anything is awaited: the caller may change what it gave as soon as this returns.
    const drafts = items.map((item) => {
      assertId(item.id, call);
      const metadata = copyMetadata(item.metadata, call);
      return { id: item.id, metadata, read: this.#read(sourceOf(item, call), `vector of '${item.id}'`) };
    });
    await this.#call(call, options, async (scope) => {
      const vectors = await this.#vectors(
        drafts.map(({ read }) => read),
        scope,
      );
      const dimension = this.#dimension ?? vectors[0]?.length;
      vectors.forEach((vector, index) => {
        assertDimension(vector, dimension, `vector of '${drafts[index]?.id}'`);
      });
      this.#assertRoom(drafts, namespace);
      if (dimension === undefined) return;
      this.#dimension = dimension;
      const collection = this.#collections.get(namespace) ?? new VectorCollection(dimension);
      this.#collections.set(namespace, collection);
      const before = collection.size;
      const timestamp = Date.now();
      vectors.forEach((vector, index) => {
        const { id = '', metadata } = drafts[index] ?? {};
        collection.set({ id, metadata, timestamp, expiresAt: timestamp + ttlMs }, vector);
      });
      this.#size += collection.size - before;
    });
  }

  /** A checked copy of a vector; a text stays what it is. */
  #read(source: VectorInput | string, subject: string): ReadSource {
    if (typeof source !== 'string') return { subject, source: readVector(source, this.#metric, subject) };
    if (source === '') throw new ValidationError(subject, [{ path: [], message: 'must not be an empty text' }]);
    if (this.#embed) return { subject, source };
    throw new ConfigurationError('LocalVectorMemory needs the option embed to make vectors of texts', {
      field: 'LocalVectorMemory.embed',
    });
  }

  /** Puts vectors in the place of texts, by one call of `embed`. */
  async #vectors(reads: readonly ReadSource[], scope: CallScope): Promise<Float64Array[]> {
    const texts = reads.flatMap(({ source }) => (typeof source === 'string' ? source : []));
    const made = this.#embed && texts.length > 0 ? await embedTexts(this.#embed, texts, scope.signal) : [];
    scope.throwIfCancelled();
    const next = made.values();
    return reads.map(({ subject, source }) => {
      if (typeof source !== 'string') return source;
      return readVector(next.next().value, this.#metric, `what embed gave for the ${subject}`);
    });
  }

  #call<T>(name: string, options: CallOptions, work: (scope: CallScope) => Promise<T>): Promise<T> {
    const attributes = this.#model === undefined ? {} : { 'safla.memory.model': this.#model };
    const { signal, timeoutMs } = options;
    const call = { ...(signal ? { signal } : {}), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    return this.#lifecycle.call(`${name} in LocalVectorMemory`, call, (scope) =>
      this.#telemetry.span({ name: `memory ${name}`, kind: spanKind.internal, attributes }, () => work(scope)),
    );
  }

  #assertCall(name: string, options: NamespaceOptions): void {
    this.#lifecycle.assertOpen();
    checkNamespaceOptions(name, options);
  }

  /** The namespace without what has expired. */
  #live(namespace: string = defaultNamespace): VectorCollection | undefined {
    const collection = this.#collections.get(namespace);
    if (collection) this.#size -= collection.expire(Date.now());
    return collection;
  }

  /** Removes what has expired, and namespaces that hold nothing. */
  #expire(): void {
    for (const namespace of [...this.#collections.keys()]) {
      if (this.#live(namespace)?.size === 0) this.#collections.delete(namespace);
    }
  }

  #assertRoom(records: readonly { readonly id: string }[], namespace: string): void {
    if (this.#size + records.length <= this.#maxItems) return;
    this.#expire();
    const collection = this.#collections.get(namespace);
    const added = new Set(records.map(({ id }) => id).filter((id) => !collection?.has(id)));
    if (this.#size + added.size > this.#maxItems) {
      throw new QueueFullError('LocalVectorMemory', `maxItems is ${this.#maxItems}; nothing was stored`);
    }
  }
}

interface ReadSource {
  /** How it reads in errors. */
  readonly subject: string;
  readonly source: Float64Array | string;
}

function sourceOf({ vector, text }: StoreItem, call: string): VectorInput | string {
  const source = text === undefined ? vector : vector === undefined ? text : undefined;
  if (source !== undefined) return source;
  throw new ValidationError(call, [{ path: [], message: 'an item needs either a vector or a text' }]);
}

function searchOptions(
  limitOrOptions: number | SearchOptions | undefined,
  threshold: number | undefined,
): SearchOptions {
  if (typeof limitOrOptions === 'object') return limitOrOptions;
  return {
    ...(limitOrOptions === undefined ? {} : { limit: limitOrOptions }),
    ...(threshold === undefined ? {} : { threshold }),
  };
}
