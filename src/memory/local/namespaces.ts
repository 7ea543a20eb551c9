import { QueueFullError } from '../../core/index.js';
import { type ItemRecord, VectorCollection } from './vector-collection.js';

/** An item and its vector. */
export interface NewItem {
  readonly record: ItemRecord;
  readonly vector: Float64Array;
}

/** The collections of one memory by namespace, under one bound. What has expired is never seen. */
export class Namespaces {
  readonly #maxItems: number;
  readonly #collections: Map<string, VectorCollection> = new Map();
  #size = 0;

  constructor(maxItems: number) {
    this.#maxItems = maxItems;
  }

  /** The namespace, undefined where nothing is stored in it. */
  get(namespace: string): VectorCollection | undefined {
    const collection = this.#collections.get(namespace);
    if (collection) this.#size -= collection.expire(Date.now());
    return collection;
  }

  /** @throws QueueFullError when not all fit; none is stored then */
  put(namespace: string, dimension: number, items: readonly NewItem[]): void {
    this.#assertRoom(namespace, items);
    const collection = this.get(namespace) ?? new VectorCollection(dimension);
    this.#collections.set(namespace, collection);
    const before = collection.size;
    for (const { record, vector } of items) collection.set(record, vector);
    this.#size += collection.size - before;
  }

  delete(namespace: string, id: string): boolean {
    const collection = this.get(namespace);
    if (!collection?.delete(id)) return false;
    this.#size -= 1;
    if (collection.size === 0) this.#collections.delete(namespace);
    return true;
  }

  clear(): void {
    this.#collections.clear();
    this.#size = 0;
  }

  stats(): { readonly items: number; readonly namespaces: number; readonly vectorBytes: number } {
    this.#expire();
    let vectorBytes = 0;
    for (const { bytes } of this.#collections.values()) vectorBytes += bytes;
    return { items: this.#size, namespaces: this.#collections.size, vectorBytes };
  }

  /** Looks at other namespaces for expired items only when there is no room. */
  #assertRoom(namespace: string, items: readonly NewItem[]): void {
    if (this.#size + items.length <= this.#maxItems) return;
    this.#expire();
    const collection = this.get(namespace);
    const added = new Set(items.map(({ record }) => record.id).filter((id) => !collection?.has(id)));
    if (this.#size + added.size > this.#maxItems) {
      throw new QueueFullError('LocalVectorMemory', `maxItems is ${this.#maxItems}; nothing was stored`);
    }
  }

  #expire(): void {
    for (const namespace of [...this.#collections.keys()]) {
      if (this.get(namespace)?.size === 0) this.#collections.delete(namespace);
    }
  }
}
