import {
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  Lifecycle,
  openScope,
  spanKind,
  Telemetry,
  ValidationError,
} from '../core/index.js';
import type { Embedding } from './embedding.js';
import { checkStoreMany, readStore, searchArguments } from './local/call-arguments.js';
import { assertId } from './local/checks.js';
import { checkFilter, filterIn } from './local/filter/checked-filter.js';
import type { MetadataFilter } from './local/filter/metadata-filter.js';
import { draftOf, type ItemDraft } from './local/item-draft.js';
import { ItemSearch, readSettings } from './local/item-search.js';
import { ItemWriter } from './local/item-writer.js';
import { KeptItems, type VectorMemoryStats } from './local/kept-items.js';
import {
  checkCall,
  checkMemoryOptions,
  type DocumentOptions,
  defaultNamespace,
  type ExportOptions,
  type ImportOptions,
  type LocalVectorMemoryOptions,
  type NamespaceOptions,
  type SearchOptions,
  type SelectOptions,
  type StoreItem,
  type StoreManyOptions,
  type StoreManyResult,
  type StoreOptions,
} from './local/local-memory-options.js';
import type { Metric } from './local/metric.js';
import { chunkText } from './local/text/chunk-text.js';
import { encodeTransfer, type ImportSource } from './local/transfer/transfer.js';
import type { TransferHeader } from './local/transfer/transfer-header.js';
import type { VectorInput } from './local/vector-input.js';
import { VectorSource } from './local/vector-source.js';
import { VectorMemoryProvider } from './vector-memory-provider.js';

/**
 * Vectors within this process, nothing to install; on the disk too when `path` is given. Search looks at
 * every vector of the namespace, so its result is exact: float64 arithmetic over vectors stored as
 * float32, equal similarities ordered by id. It runs on the calling thread. What goes in and comes out
 * is copied.
 *
 * @example
 * await using memory = new LocalVectorMemory({ path: './memory', embed });
 * await memory.store('note-1', 'The printer is on floor 2', { kind: 'note' });
 * const hits = await memory.search('where is the printer?', { limit: 3, filter: { kind: 'note' } });
 */
export class LocalVectorMemory extends VectorMemoryProvider implements Closeable {
  readonly #metric: Metric;
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle = new Lifecycle('LocalVectorMemory');
  readonly #source: VectorSource;
  readonly #items: KeptItems;
  readonly #writer: ItemWriter;
  readonly #search: ItemSearch;

  /** @throws ConfigurationError */
  constructor(options: LocalVectorMemoryOptions = {}) {
    super();
    checkMemoryOptions(options);
    this.#metric = options.metric ?? 'cosine';
    this.#telemetry = new Telemetry('memory', options.telemetry);
    this.#source = new VectorSource('LocalVectorMemory', this.#metric, options.embed);
    this.#items = new KeptItems(this.#metric, options, this.#telemetry.logger);
    this.#writer = new ItemWriter(this.#metric, this.#source, this.#items);
    this.#search = new ItemSearch(this.#source, this.#items);
  }

  /**
   * Stores a vector, or a text and the vector that `embed` makes of it, under `id`, in place of what was
   * there.
   *
   * @param metadata an object that can be copied by `structuredClone`
   * @throws ValidationError for a wrong dimension, components that are not finite, a zero vector under cosine, an id that is empty or over 1024 bytes, metadata that cannot be copied
   * @throws ConfigurationError for a text without `embed`, QueueFullError over `maxItems` or `maxBytes`, MemoryStorageError, ClosedError
   */
  override async store(
    id: string,
    vector: VectorInput | string,
    metadata?: object,
    options: StoreOptions = {},
  ): Promise<void> {
    this.#lifecycle.assertOpen();
    const { item, settings } = readStore(id, vector, metadata, options);
    await this.#storeAll('store', [draftOf(item, this.#source, 'store')], settings);
  }

  /**
   * Stores many at once, all or none; texts go to `embed` in one call. Of items with the same id the
   * last one stays.
   *
   * @throws as {@link LocalVectorMemory.store}
   */
  async storeMany(items: readonly StoreItem[], options: StoreManyOptions = {}): Promise<StoreManyResult> {
    this.#lifecycle.assertOpen();
    checkStoreMany(items, options);
    // Before anything is awaited: the caller may change what it gave as soon as this returns.
    const drafts = items.map((item) => draftOf(item, this.#source, 'storeMany'));
    return await this.#storeAll('storeMany', drafts, options);
  }

  /**
   * Stores a long text in chunks that can be found one by one, in place of the chunks of the same
   * document. They are stored under `id#0`, `id#1` and so on; their metadata has `document` (the id),
   * `chunk` (the number) and `start` (where in the text) besides what is given.
   *
   * @throws as {@link LocalVectorMemory.store}
   * @returns the number of chunks
   */
  async storeDocument(id: string, text: string, metadata: object = {}, options: DocumentOptions = {}): Promise<number> {
    this.#lifecycle.assertOpen();
    checkCall.document('storeDocument', options);
    assertId(id, 'storeDocument');
    const { maxLength, overlap, ...rest } = options;
    const chunks = chunkText(text, {
      ...(maxLength === undefined ? {} : { maxLength }),
      ...(overlap === undefined ? {} : { overlap }),
    });
    const drafts = chunks.map(({ text: part, start }, chunk) => {
      const facts = { ...metadata, document: id, chunk, start };
      return draftOf({ id: `${id}#${chunk}`, text: part, metadata: facts }, this.#source, 'storeDocument');
    });
    const { stored } = await this.#storeAll('storeDocument', drafts, rest, { document: id });
    return stored;
  }

  /** A copy of what is stored under `id`, its components as float32 holds them, or null. */
  override async retrieve(id: string, options: NamespaceOptions = {}): Promise<Embedding | null> {
    const namespace = this.#begin('retrieve', options, checkCall.namespace);
    assertId(id, 'retrieve');
    await this.#items.ready();
    return this.#items.collection(namespace)?.get(id) ?? null;
  }

  /**
   * The vectors nearest to a vector or to the vector of a text, nearest first, each with its
   * `similarity`. Without a threshold there are always `limit` hits where so many are stored. With
   * `text` or `decay` hits are ordered by their `score`.
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
    const [hits] = await this.#searchAll('search', [query], searchArguments(limitOrOptions, leastSimilarity));
    return hits ?? [];
  }

  /**
   * Searches for many queries at once: one call of `embed` for all texts, one way through memory for all
   * vectors. Gives the hits of each query, in order.
   *
   * @throws as {@link LocalVectorMemory.search}
   */
  async searchMany(queries: readonly (VectorInput | string)[], options: SearchOptions = {}): Promise<Embedding[][]> {
    if (!Array.isArray(queries)) {
      throw new ValidationError('searchMany', [{ path: [], message: 'must be an array of queries' }]);
    }
    return await this.#searchAll('searchMany', queries as readonly (VectorInput | string)[], options);
  }

  /** Removes what is stored under `id`. False when there was nothing. */
  override async delete(id: string, options: NamespaceOptions = {}): Promise<boolean> {
    const namespace = this.#begin('delete', options, checkCall.namespace);
    assertId(id, 'delete');
    await this.#items.ready();
    return (await this.#items.change(namespace, { remove: [id] })) > 0;
  }

  /** Removes the items of a namespace whose metadata matches, all at once, and says how many. `{}` matches all. */
  async deleteWhere(filter: MetadataFilter, options: NamespaceOptions = {}): Promise<number> {
    const namespace = this.#begin('deleteWhere', options, checkCall.namespace);
    const chosen = checkFilter(filter);
    await this.#items.ready();
    const remove = this.#items.collection(namespace)?.ids(chosen) ?? [];
    return remove.length === 0 ? 0 : await this.#items.change(namespace, { remove });
  }

  /** How many vectors one namespace holds, or how many of them match. */
  async count(options: SelectOptions = {}): Promise<number> {
    const namespace = this.#begin('count', options, checkCall.select);
    const chosen = filterIn(options);
    await this.#items.ready();
    const collection = this.#items.collection(namespace);
    return (chosen ? collection?.ids(chosen).length : collection?.size) ?? 0;
  }

  /**
   * The items of a namespace one after another, in no certain order. What is there all the while comes
   * once; what is stored or deleted meanwhile may come or not.
   *
   * @example for await (const { id, text } of memory.scroll({ filter: { kind: 'note' } })) console.log(id, text);
   */
  async *scroll(options: SelectOptions = {}): AsyncGenerator<Embedding, void, void> {
    const namespace = this.#begin('scroll', options, checkCall.select);
    const chosen = filterIn(options);
    await this.#items.ready();
    for (const id of this.#items.collection(namespace)?.ids(chosen) ?? []) {
      options.signal?.throwIfAborted();
      this.#lifecycle.assertOpen();
      const item = this.#items.collection(namespace)?.get(id);
      if (item) yield item;
    }
  }

  /**
   * Everything, or one namespace, as bytes to keep elsewhere or to {@link LocalVectorMemory.import}.
   * NDJSON is for every tool and holds what JSON holds, and dates; the binary format is smaller and holds
   * all metadata.
   *
   * @throws ValidationError for metadata that JSON cannot hold, in the loop
   * @example await pipeline(memory.export(), createWriteStream('memory.ndjson'));
   */
  async *export(options: ExportOptions = {}): AsyncGenerator<Uint8Array, void, void> {
    this.#lifecycle.assertOpen();
    checkCall.export('export', options);
    const { format = 'ndjson', namespace } = options;
    await this.#items.ready();
    const { dimension = null, model = null } = this.#items;
    const head: TransferHeader = { format: 1, holds: 'vector-memory-export', metric: this.#metric, dimension, model };
    for (const piece of encodeTransfer(format, head, this.#items.entries(namespace))) {
      this.#lifecycle.assertOpen();
      yield piece;
    }
  }

  /**
   * Stores what an export holds, piece by piece: what was stored before a failure stays. Read binary
   * exports from those you trust only: they hold metadata in V8's serialization format.
   *
   * @throws MemoryStorageError `mismatch` for another dimension or model, `damaged`; as {@link LocalVectorMemory.store}
   * @returns the number of items
   */
  async import(source: ImportSource, options: ImportOptions = {}): Promise<number> {
    this.#begin('import', options, checkCall.namespace);
    const { namespace } = options;
    return await this.#call('import', { timeoutMs: Number.POSITIVE_INFINITY, ...options }, (scope) =>
      this.#writer.import(source, namespace, scope),
    );
  }

  /** Makes the files as small as what is held. It happens by itself as well. @throws MemoryStorageError */
  async compact(options: CallOptions = {}): Promise<void> {
    await this.#call('compact', { timeoutMs: Number.POSITIVE_INFINITY, ...options }, async () => {
      await this.#items.ready();
      await this.#items.compact();
    });
  }

  /** What is held in all namespaces. */
  stats(): VectorMemoryStats {
    return this.#items.stats();
  }

  /**
   * Forgets everything; what is under `path` is on the disk then and can be opened again. Calls
   * afterwards reject with ClosedError.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => this.#items.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #storeAll(
    call: string,
    drafts: readonly ItemDraft[],
    options: StoreManyOptions,
    replaced?: MetadataFilter,
  ): Promise<StoreManyResult> {
    return this.#call(call, options, (scope) => this.#writer.store(drafts, options, scope, replaced));
  }

  async #searchAll(
    call: string,
    queries: readonly (VectorInput | string)[],
    options: SearchOptions,
  ): Promise<Embedding[][]> {
    const settings = readSettings(call, options);
    this.#lifecycle.assertOpen();
    return await this.#call(call, options, this.#search.prepare(call, queries, settings));
  }

  #call<T>(name: string, options: CallOptions, work: (scope: CallScope) => Promise<T>): Promise<T> {
    const { model } = this.#items;
    const attributes = model === undefined ? {} : { 'safla.memory.model': model };
    return this.#lifecycle.call(`${name} in LocalVectorMemory`, options, (scope) =>
      this.#telemetry.span({ name: `memory ${name}`, kind: spanKind.internal, attributes }, () => work(scope)),
    );
  }

  /** Begins a call that waits for nothing but the files: its signal counts when it begins. Gives the namespace. */
  #begin<O extends NamespaceOptions>(call: string, options: O, check: (call: string, options: O) => void): string {
    this.#lifecycle.assertOpen();
    check(call, options);
    using scope = openScope(call, options);
    scope.throwIfCancelled();
    return options.namespace ?? defaultNamespace;
  }
}
