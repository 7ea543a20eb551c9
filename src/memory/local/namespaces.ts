import { QueueFullError } from '../../core/index.js';
import type { Metric } from './metric.js';
import { type ItemRecord, VectorCollection } from './vector-collection.js';

/** An item and its vector. */
export interface NewItem {
  readonly record: ItemRecord;
  readonly vector: Float64Array | Float32Array;
}

/** What all namespaces may hold together. */
export interface MemoryBounds {
  readonly maxItems: number;
  readonly maxBytes: number;
}

/** What all namespaces hold together. */
export interface MemoryUse {
  readonly items: number;
  readonly namespaces: number;
  /** What the items count for in `maxBytes`. */
  readonly bytes: number;
  /** What is allocated for vectors. */
  readonly vectorBytes: number;
}

/** The collections of one memory by namespace, under one bound. What has expired is never seen. */
export class Namespaces {
  readonly #metric: Metric;
  readonly #bounds: MemoryBounds;
  readonly #collections: Map<string, VectorCollection> = new Map();
  #size = 0;
  #bytes = 0;
  /** For items on their way. */
  #reserved = { size: 0, bytes: 0 };

  constructor(metric: Metric, bounds: MemoryBounds) {
    this.#metric = metric;
    this.#bounds = bounds;
  }

  /** The namespace, undefined where nothing is stored in it. */
  get(namespace: string): VectorCollection | undefined {
    const collection = this.#collections.get(namespace);
    if (collection) this.#change(collection, () => collection.expire(Date.now()));
    return collection;
  }

  /**
   * Keeps room for items until it is released: the room of items that are stored by then is theirs.
   *
   * @throws QueueFullError when not all fit
   */
  reserve(namespace: string, items: readonly NewItem[]): { release(): void } {
    this.#assertRoom(namespace, items);
    const added = { size: items.length, bytes: bytesOf(items) };
    this.#reserved = { size: this.#reserved.size + added.size, bytes: this.#reserved.bytes + added.bytes };
    const release = (): void => {
      this.#reserved = { size: this.#reserved.size - added.size, bytes: this.#reserved.bytes - added.bytes };
    };
    return { release };
  }

  /** Stores items for which there is room. */
  put(namespace: string, dimension: number, items: readonly NewItem[]): void {
    const collection = this.get(namespace) ?? new VectorCollection(dimension, this.#metric);
    this.#collections.set(namespace, collection);
    this.#change(collection, () => {
      for (const { record, vector } of items) collection.set(record, vector);
    });
  }

  delete(namespace: string, id: string): boolean {
    const collection = this.get(namespace);
    if (!collection || !this.#change(collection, () => collection.delete(id))) return false;
    if (collection.size === 0) this.#collections.delete(namespace);
    return true;
  }

  /** What is held now in one namespace, or all; see {@link VectorCollection.items}. */
  *items(only?: string): Generator<NewItem & { readonly namespace: string }> {
    for (const [namespace, collection] of this.#collections) {
      if (only !== undefined && namespace !== only) continue;
      for (const item of collection.items()) yield { namespace, ...item };
    }
  }

  clear(): void {
    this.#collections.clear();
    this.#size = 0;
    this.#bytes = 0;
  }

  use(): MemoryUse {
    this.#expire();
    let allocated = 0;
    for (const { vectorBytes } of this.#collections.values()) allocated += vectorBytes;
    return { items: this.#size, namespaces: this.#collections.size, bytes: this.#bytes, vectorBytes: allocated };
  }

  /** Keeps the totals right while one collection changes. */
  #change<T>(collection: VectorCollection, change: () => T): T {
    const { size, bytes } = collection;
    const result = change();
    this.#size += collection.size - size;
    this.#bytes += collection.bytes - bytes;
    return result;
  }

  /** Looks at other namespaces for expired items, and for what is replaced, only when there is no room. */
  #assertRoom(namespace: string, items: readonly NewItem[]): void {
    const { maxItems, maxBytes } = this.#bounds;
    const { size, bytes } = this.#reserved;
    const fits = (added: { size: number; bytes: number }): string | undefined => {
      if (this.#size + size + added.size > maxItems) return `maxItems is ${maxItems}`;
      return this.#bytes + bytes + added.bytes > maxBytes ? `maxBytes is ${maxBytes}` : undefined;
    };
    if (!fits({ size: items.length, bytes: bytesOf(items) })) return;
    this.#expire();
    const bound = fits(this.#added(namespace, items));
    if (bound) throw full(bound);
  }

  /** By how much items would make the whole grow. */
  #added(namespace: string, items: readonly NewItem[]): { readonly size: number; readonly bytes: number } {
    const collection = this.get(namespace);
    let [size, bytes] = [0, 0];
    for (const [id, last] of new Map(items.map(({ record }) => [record.id, record.bytes]))) {
      const replaced = collection?.bytesOf(id);
      if (replaced === undefined) size += 1;
      bytes += last - (replaced ?? 0);
    }
    return { size, bytes };
  }

  #expire(): void {
    for (const namespace of [...this.#collections.keys()]) {
      if (this.get(namespace)?.size === 0) this.#collections.delete(namespace);
    }
  }
}

function bytesOf(items: readonly NewItem[]): number {
  return items.reduce((sum, { record }) => sum + record.bytes, 0);
}

function full(bound: string): QueueFullError {
  return new QueueFullError('LocalVectorMemory', `${bound}; nothing was stored`);
}
