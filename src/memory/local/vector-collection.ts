import type { Embedding } from '../embedding.js';
import { type Metric, scorer } from './metric.js';
import { RowStore } from './row-store.js';
import { type Hit, TopHits } from './top-hits.js';

/** What is kept beside a vector. The metadata is this collection's own copy. */
export interface ItemRecord {
  readonly id: string;
  readonly metadata: Record<string, unknown> | undefined;
  readonly timestamp: number;
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly expiresAt: number;
  /** What the item counts for in the memory's bound. */
  readonly bytes: number;
}

/** What a search of one collection goes by. */
export interface CollectionQuery {
  readonly metric: Metric;
  readonly vector: Float64Array;
  readonly limit: number;
  readonly threshold: number;
  readonly accepts: ((metadata: Record<string, unknown> | undefined) => boolean) | undefined;
}

/** The vectors of one namespace. */
export class VectorCollection {
  readonly #store: RowStore;
  readonly #rowById: Map<string, number> = new Map();
  /** By row; undefined where the row is free. */
  readonly #items: (ItemRecord | undefined)[] = [];
  #bytes = 0;
  /** No item expires before this. */
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(dimension: number) {
    this.#store = new RowStore(dimension);
  }

  get size(): number {
    return this.#rowById.size;
  }

  /** What its items count for. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is allocated for vectors. */
  get vectorBytes(): number {
    return this.#store.bytes;
  }

  /** What the item under `id` counts for, undefined when there is none. */
  bytesOf(id: string): number | undefined {
    const row = this.#rowById.get(id);
    return row === undefined ? undefined : this.#items[row]?.bytes;
  }

  set(item: ItemRecord, vector: Float64Array): void {
    const known = this.#rowById.get(item.id);
    const row = known ?? this.#store.add(vector);
    if (known !== undefined) this.#store.set(row, vector);
    this.#rowById.set(item.id, row);
    this.#bytes += item.bytes - (this.#items[row]?.bytes ?? 0);
    this.#items[row] = item;
    this.#nextExpiry = Math.min(this.#nextExpiry, item.expiresAt);
  }

  get(id: string): Embedding | undefined {
    const row = this.#rowById.get(id);
    return row === undefined ? undefined : this.#embedding(row);
  }

  delete(id: string): boolean {
    const row = this.#rowById.get(id);
    if (row === undefined) return false;
    this.#rowById.delete(id);
    this.#bytes -= this.#items[row]?.bytes ?? 0;
    this.#items[row] = undefined;
    this.#store.remove(row);
    return true;
  }

  /** Removes what has expired and says how many. Costs nothing until the first item may have. */
  expire(now: number): number {
    if (now < this.#nextExpiry) return 0;
    const before = this.size;
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    for (const item of this.#items) {
      if (!item) continue;
      if (item.expiresAt <= now) this.delete(item.id);
      else this.#nextExpiry = Math.min(this.#nextExpiry, item.expiresAt);
    }
    return before - this.size;
  }

  /** Looks at every vector: the result is exact. */
  search({ metric, vector, limit, threshold, accepts }: CollectionQuery): Embedding[] {
    const { score, toSimilarity } = scorer(metric, vector, this.#store);
    const top = new TopHits(limit);
    for (let row = 0; row < this.#store.end; row++) {
      const item = this.#items[row];
      if (!item) continue;
      const hit: Hit = { row, id: item.id, score: score(row) };
      if (!top.admits(hit.score, hit.id) || toSimilarity(hit.score) < threshold) continue;
      if (accepts && !accepts(item.metadata)) continue;
      top.add(hit);
    }
    return top.sorted().map((hit) => ({ ...this.#embedding(hit.row), similarity: toSimilarity(hit.score) }));
  }

  #embedding(row: number): Embedding {
    const { id, metadata, timestamp } = this.#items[row] as ItemRecord;
    const embedding = { id, vector: this.#store.vector(row), timestamp };
    return metadata === undefined ? embedding : { ...embedding, metadata: structuredClone(metadata) };
  }
}
