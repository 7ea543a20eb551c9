import {
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  Lifecycle,
  openScope,
  spanKind,
  Telemetry,
  ValidationError,
} from '../core/index.js';
import type { Embedding } from './embedding.js';
import { assertId, assertItems, assertLimit, assertThreshold, copyMetadata } from './local/checks.js';
import { type Embed, embedTexts } from './local/embedder.js';
import { compileFilter } from './local/filter/metadata-filter.js';
import type { Entry, PutEntry } from './local/journal/entry.js';
import { Journal } from './local/journal/journal.js';
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
import type { Metric } from './local/metric.js';
import { Namespaces, type NewItem } from './local/namespaces.js';
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
  /**
   * What `maxBytes` bounds: for each item 200 bytes, its vector as float32, its id, and its metadata
   * as V8 serializes it. An estimate: metadata of many small parts takes more on the heap, and room for
   * vectors grows by doubling (`vectorBytes`).
   */
  readonly bytes: number;
  /** Bytes allocated for vectors, those kept for further ones included. */
  readonly vectorBytes: number;
}

const defaultNamespace = '';
const defaultMaxItems = 1_000_000;
const defaultMaxBytes = 2 ** 30;
/** What an item takes on the heap besides its vector, id and metadata, as measured. */
const itemBytes = 200;

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
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle = new Lifecycle('LocalVectorMemory');
  readonly #namespaces: Namespaces;
  readonly #files: Pick<LocalVectorMemoryOptions, 'path' | 'fsync' | 'encryption'>;
  #opening: Promise<Journal> | undefined;
  #journal: Journal | undefined;
  #dimension: number | undefined;

  /** @throws ConfigurationError */
  constructor(options: LocalVectorMemoryOptions = {}) {
    super();
    checkMemoryOptions(options);
    this.#dimension = options.dimension;
    this.#metric = options.metric ?? 'cosine';
    this.#model = options.model;
    this.#files = options;
    this.#embed = options.embed;
    this.#namespaces = new Namespaces(this.#metric, {
      maxItems: options.maxItems ?? defaultMaxItems,
      maxBytes: options.maxBytes ?? defaultMaxBytes,
    });
    this.#telemetry = new Telemetry('memory', options.telemetry);
  }

  /**
   * Stores a vector, or the vector of a text, under `id`, in place of what was there.
   *
   * @param metadata an object that can be copied by `structuredClone`
   * @throws ValidationError for a wrong dimension, components that are not finite, a zero vector under cosine, an id that is empty or over 1024 bytes, metadata that cannot be copied
   * @throws ConfigurationError for a text without `embed`, QueueFullError over `maxItems` or `maxBytes`, ClosedError
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
    const namespace = this.#namespace('retrieve', options);
    assertId(id, 'retrieve');
    await this.#ready();
    return this.#namespaces.get(namespace)?.get(id) ?? null;
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
    const { namespace = defaultNamespace, limit = 10, threshold = Number.NEGATIVE_INFINITY, filter } = options;
    assertLimit(limit);
    assertThreshold(threshold);
    const filtered = filter === undefined ? undefined : { filter, accepts: compileFilter(filter) };
    this.#lifecycle.assertOpen();
    const read = this.#read(query, 'query');
    return this.#call('search', options, async (scope) => {
      await this.#ready();
      const [vector] = await this.#vectors([read], scope);
      if (!vector) return [];
      assertDimension(vector, this.#dimension, 'query');
      const collection = this.#namespaces.get(namespace);
      return collection?.search([{ vector, limit, threshold }], filtered)[0] ?? [];
    });
  }

  /** Removes what is stored under `id`. False when there was nothing. */
  override async delete(id: string, options: NamespaceOptions = {}): Promise<boolean> {
    const namespace = this.#namespace('delete', options);
    assertId(id, 'delete');
    await this.#ready();
    if (this.#dimension === undefined) return false;
    let deleted = false;
    await this.#keep(
      () => [{ type: 'delete', namespace, id }],
      this.#dimension,
      () => {
        deleted = this.#namespaces.delete(namespace, id);
      },
    );
    return deleted;
  }

  /** How many vectors one namespace holds. */
  async count(options: NamespaceOptions = {}): Promise<number> {
    const namespace = this.#namespace('count', options);
    await this.#ready();
    return this.#namespaces.get(namespace)?.size ?? 0;
  }

  /** What is held in all namespaces. */
  stats(): VectorMemoryStats {
    return { ...this.#namespaces.use(), dimension: this.#dimension, metric: this.#metric, model: this.#model };
  }

  /**
   * Forgets everything; what is under `path` is on the disk then and can be opened again. Calls
   * afterwards reject with ClosedError.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async () => {
      const journal = await this.#opening?.catch(() => undefined);
      await journal?.close();
      this.#namespaces.clear();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #storeAll(call: string, items: readonly StoreItem[], options: StoreManyOptions): Promise<void> {
    this.#lifecycle.assertOpen();
    checkStoreOptions(call, options);
    assertItems(items, call);
    const { namespace = defaultNamespace, ttlMs = Number.POSITIVE_INFINITY } = options;
    // Before anything is awaited: the caller may change what it gave as soon as this returns.
    const drafts = items.map((item) => {
      assertId(item.id, call);
      return {
        id: item.id,
        ...copyMetadata(item.metadata, call),
        read: this.#read(sourceOf(item, call), `vector of '${item.id}'`),
      };
    });
    await this.#call(call, options, async (scope) => {
      await this.#ready();
      const vectors = await this.#vectors(
        drafts.map(({ read }) => read),
        scope,
      );
      const dimension = this.#dimension ?? vectors[0]?.length;
      if (dimension === undefined) return;
      const timestamp = Date.now();
      const stored = drafts.map(({ id, metadata, serialized, read: { subject } }, index) => {
        const vector = vectors[index] as Float64Array;
        assertDimension(vector, dimension, subject);
        const bytes = itemBytesOf(id, dimension, serialized.length);
        return { record: { id, metadata, timestamp, expiresAt: timestamp + ttlMs, bytes }, serialized, vector };
      });
      const room = this.#namespaces.reserve(namespace, stored);
      this.#dimension = dimension;
      try {
        const entries = (): Entry[] => stored.map((item) => toEntry({ namespace, ...item }));
        await this.#keep(entries, dimension, () => this.#namespaces.put(namespace, dimension, stored));
      } finally {
        room.release();
      }
    });
  }

  /** Applies a change, after it is in the files where there are any. */
  async #keep(entries: () => Entry[], dimension: number, apply: () => void): Promise<void> {
    if (this.#journal) await this.#journal.commit(entries(), dimension, apply);
    else apply();
  }

  /** Reads the files, once. A failure is tried again with the next call. */
  async #ready(): Promise<void> {
    if (this.#files.path === undefined || this.#journal) return;
    this.#opening ??= this.#open(this.#files.path).catch((error: unknown) => {
      this.#opening = undefined;
      this.#namespaces.clear();
      throw error;
    });
    this.#journal = await this.#opening;
  }

  async #open(folder: string): Promise<Journal> {
    const journal = await Journal.open(
      {
        folder,
        fsync: this.#files.fsync ?? 'always',
        encryption: this.#files.encryption,
        metric: this.#metric,
        dimension: this.#dimension,
        model: this.#model,
        items: () => this.#entries(),
        onFailure: (error) => this.#telemetry.logger.warn({ folder, error }, 'memory snapshot failed'),
      },
      (entry) => this.#apply(entry),
    );
    this.#dimension ??= journal.dimension;
    return journal;
  }

  #apply(entry: Entry): void {
    const { namespace, id } = entry;
    // What has expired meanwhile also ends what it replaced.
    if (entry.type === 'delete' || entry.expiresAt <= Date.now()) {
      this.#namespaces.delete(namespace, id);
      return;
    }
    const { metadata, timestamp, expiresAt, vector, serialized } = entry;
    const bytes = itemBytesOf(id, vector.length, serialized?.length ?? 0);
    this.#namespaces.put(namespace, vector.length, [{ record: { id, metadata, timestamp, expiresAt, bytes }, vector }]);
  }

  *#entries(): Generator<PutEntry> {
    for (const item of this.#namespaces.items()) yield toEntry(item);
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
    return this.#lifecycle.call(`${name} in LocalVectorMemory`, options, (scope) =>
      this.#telemetry.span({ name: `memory ${name}`, kind: spanKind.internal, attributes }, () => work(scope)),
    );
  }

  /** The namespace of a call that waits for nothing: its signal counts when it begins. */
  #namespace(call: string, options: NamespaceOptions): string {
    this.#lifecycle.assertOpen();
    checkNamespaceOptions(call, options);
    using scope = openScope(call, options);
    scope.throwIfCancelled();
    return options.namespace ?? defaultNamespace;
  }
}

function itemBytesOf(id: string, dimension: number, metadataBytes: number): number {
  return itemBytes + dimension * Float32Array.BYTES_PER_ELEMENT + Buffer.byteLength(id) + metadataBytes;
}

function toEntry({ record, ...rest }: NewItem & Pick<PutEntry, 'namespace' | 'serialized'>): PutEntry {
  const { id, timestamp, expiresAt, metadata } = record;
  return { type: 'put', id, timestamp, expiresAt, metadata, ...rest };
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
