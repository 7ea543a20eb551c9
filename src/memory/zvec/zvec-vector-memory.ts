import { type CallOptions, type CallScope, type Closeable, type CloseOptions, Lifecycle } from '../../core/index.js';
import type { Embedding } from '../embedding.js';
import { batchesOf } from '../indexed/batches-of.js';
import { rankHits } from '../indexed/rank-hits.js';
import { readSearch } from '../indexed/search-request.js';
import { checkStoreMany, readStore } from '../local/call-arguments.js';
import { assertId } from '../local/checks.js';
import { filterIn } from '../local/filter/checked-filter.js';
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
import { nearestDocuments, type SearchEffort } from './nearest-documents.js';
import { encodeFacts, factsOf, keyOf, scopeOf, toDocument, toEmbedding } from './zvec-document.js';
import { ZvecFolder } from './zvec-folder.js';
import { checkZvecOptions, type ZvecSearchOptions, type ZvecVectorMemoryOptions } from './zvec-memory-options.js';

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
  readonly #metric: Metric;
  readonly #effort: SearchEffort;
  readonly #source: VectorSource;
  readonly #folder: ZvecFolder;
  readonly #lifecycle: Lifecycle = new Lifecycle('ZvecVectorMemory');

  /** @throws ConfigurationError */
  constructor(options: ZvecVectorMemoryOptions) {
    super();
    checkZvecOptions(options);
    const { metric = 'cosine', exactBelow = 10_000, efSearch = 200 } = options;
    this.#metric = metric;
    this.#effort = { exactBelow, efSearch };
    this.#source = new VectorSource('ZvecVectorMemory', metric, options.embed);
    this.#folder = new ZvecFolder({ ...options, metric });
  }

  /** As `LocalVectorMemory.store`; metadata has to be JSON. @throws MissingDependencyError MemoryStorageError */
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

  /** Stores many, in batches of 1,000; texts go to `embed` in one call. Of items with the same id the last one stays. */
  async storeMany(items: readonly StoreItem[], options: Omit<StoreManyOptions, 'dedupe'> = {}): Promise<void> {
    this.#lifecycle.assertOpen();
    checkStoreMany(items, options);
    await this.#storeAll('storeMany', items, options);
  }

  /** What is stored under `id`, or null. */
  override async retrieve(id: string, options: NamespaceOptions = {}): Promise<Embedding | null> {
    checkCall.namespace('retrieve', options);
    assertId(id, 'retrieve');
    return await this.#call('retrieve', options, async () => {
      const document = this.#folder.fetch(keyOf(id, options.namespace));
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
    const request = readSearch(limitOrOptions, leastSimilarity);
    this.#lifecycle.assertOpen();
    const read = this.#source.read(query, 'query');
    return await this.#call('search', request.options, async (scope) => {
      const [vector] = await this.#source.vectors([read], scope);
      if (!vector) return [];
      assertDimension(vector, this.#folder.dimension, 'query');
      const documents = await nearestDocuments(this.#folder, vector, request, this.#effort, scope);
      return rankHits(documents.map(toEmbedding), this.#metric, vector, request);
    });
  }

  /** Removes what is stored under `id`. False when there was nothing. */
  override async delete(id: string, options: NamespaceOptions = {}): Promise<boolean> {
    checkCall.namespace('delete', options);
    assertId(id, 'delete');
    return await this.#call('delete', options, async () => {
      const key = keyOf(id, options.namespace);
      const present = this.#folder.fetch(key) !== undefined;
      if (present) this.#folder.change((collection) => [collection.deleteSync(key)]);
      return present;
    });
  }

  /** How many vectors one namespace holds, or how many of them match. Reads the facts of all vectors. */
  async count(options: SelectOptions = {}): Promise<number> {
    checkCall.select('count', options);
    const filter = filterIn(options);
    return await this.#call('count', options, async () => {
      const scope = scopeOf(options.namespace);
      const now = Date.now();
      let count = 0;
      this.#folder.use((collection) => {
        const outputFields = filter ? ['scope', 'expires', 'item'] : ['scope', 'expires'];
        for (const { fields } of collection.iterDocsSync({ includeVector: false, outputFields })) {
          if (fields.scope !== scope || !(fields.expires > now)) continue;
          if (!filter || filter.accepts(factsOf(fields).metadata)) count += 1;
        }
      });
      return count;
    });
  }

  /** Builds the index over what was stored last and drops what was replaced: searches are faster then. */
  async optimize(options: CallOptions = {}): Promise<void> {
    await this.#call('optimize', { timeoutMs: Number.POSITIVE_INFINITY, ...options }, async () => {
      await this.#folder.wait((collection) => collection.optimize());
    });
  }

  /** Closes the files. Calls afterwards reject with ClosedError. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => this.#folder.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #storeAll(call: string, items: readonly StoreItem[], options: StoreManyOptions): Promise<void> {
    // Copied before anything is awaited: the caller may change what it gave.
    const drafts = items.map((item) => {
      const draft = draftOf(item, this.#source, call);
      return { draft, facts: encodeFacts(draft, item.metadata) };
    });
    await this.#call(call, options, async (scope) => {
      const reads = drafts.map(({ draft }) => draft.read);
      const vectors = await this.#source.vectors(reads, scope);
      const dimension = this.#folder.dimension ?? vectors[0]?.length;
      if (dimension === undefined) return;
      assertDimensions(vectors, dimension, reads);
      await this.#folder.make(dimension);
      const stay = { namespace: options.namespace, ttlMs: options.ttlMs, now: Date.now() };
      const documents = drafts.map(({ draft, facts }, place) =>
        toDocument(draft, facts, vectors[place] as Float64Array, this.#folder.columns, stay),
      );
      for (const batch of batchesOf(documents)) {
        scope.throwIfCancelled();
        this.#folder.change((collection) => collection.upsertSync(batch));
      }
    });
  }

  #call<T>(name: string, options: CallOptions, work: (scope: CallScope) => Promise<T>): Promise<T> {
    return this.#lifecycle.call(`${name} in ZvecVectorMemory`, options, async (scope) => {
      await this.#folder.open();
      return await work(scope);
    });
  }
}
