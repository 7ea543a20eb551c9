import type { Embedding } from '../embedding.js';
import type { MetadataFilter, MetadataTest } from './filter/metadata-filter.js';
import { MetadataIndex } from './filter/metadata-index.js';
import { type Candidate, lookThrough, type Search } from './look-through.js';
import { type Metric, scorer } from './metric.js';
import { RowStore } from './row-store.js';
import { TopHits } from './top-hits.js';

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
  readonly vector: Float64Array;
  readonly limit: number;
  readonly threshold: number;
}

/** A filter that was checked, and its predicate. */
export interface CollectionFilter {
  readonly filter: MetadataFilter;
  readonly accepts: MetadataTest;
}

/** With fewer items an index is not worth its making. */
const indexedFrom = 1_000;
/** Where more than this share may match, looking at all rows costs less than listing them. */
const listedShare = 0.25;

/** The vectors of one namespace. */
export class VectorCollection {
  readonly #metric: Metric;
  readonly #store: RowStore;
  readonly #rowById: Map<string, number> = new Map();
  /** By row; undefined where the row is free. */
  readonly #items: (ItemRecord | undefined)[] = [];
  readonly #index: MetadataIndex = new MetadataIndex();
  #bytes = 0;
  /** No item expires before this. */
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(dimension: number, metric: Metric) {
    this.#metric = metric;
    this.#store = new RowStore(dimension, metric);
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

  set(item: ItemRecord, vector: Float64Array | Float32Array): void {
    const known = this.#rowById.get(item.id);
    const row = known ?? this.#store.add(vector);
    if (known !== undefined) this.#store.set(row, vector);
    this.#rowById.set(item.id, row);
    const replaced = this.#items[row];
    if (replaced) this.#index.remove(row, replaced.metadata);
    this.#index.add(row, item.metadata);
    this.#bytes += item.bytes - (replaced?.bytes ?? 0);
    this.#items[row] = item;
    this.#nextExpiry = Math.min(this.#nextExpiry, item.expiresAt);
  }

  get(id: string): Embedding | undefined {
    const row = this.#rowById.get(id);
    return row === undefined ? undefined : this.#embedding(row);
  }

  /** What is held now, item by item; what changes meanwhile may or may not be among them. Vectors are views. */
  *items(): Generator<{ readonly record: ItemRecord; readonly vector: Float32Array }> {
    for (let row = 0; row < this.#items.length; row++) {
      const record = this.#items[row];
      if (record) yield { record, vector: this.#store.view(row) };
    }
  }

  delete(id: string): boolean {
    const row = this.#rowById.get(id);
    if (row === undefined) return false;
    const { bytes, metadata } = this.#items[row] as ItemRecord;
    this.#rowById.delete(id);
    this.#index.remove(row, metadata);
    this.#bytes -= bytes;
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

  /** The nearest of all vectors, for each query: exact. Queries of one call share the way through memory. */
  search(queries: readonly CollectionQuery[], filter?: CollectionFilter): Embedding[][] {
    const searches = queries.map((query) => this.#searchOf(query, filter?.accepts));
    lookThrough(this.#store, searches, filter && this.#rowsFor(filter.filter));
    return searches.map(({ top, scorer: { toSimilarity } }) =>
      top.sorted().map(({ row, score }) => ({ ...this.#embedding(row), similarity: toSimilarity(score) })),
    );
  }

  /** Where the matches of a filter are; undefined for anywhere. */
  #rowsFor(filter: MetadataFilter): Iterable<number> | undefined {
    if (this.size < indexedFrom) return undefined;
    const plan = this.#index.plan(filter, () => this.#metadata());
    return plan && plan.size <= this.size * listedShare ? plan.rows() : undefined;
  }

  *#metadata(): Generator<readonly [number, Record<string, unknown> | undefined]> {
    for (const [row, item] of this.#items.entries()) if (item) yield [row, item.metadata];
  }

  #searchOf({ vector, limit, threshold }: CollectionQuery, accepts: MetadataTest | undefined): Search {
    const top = new TopHits(limit);
    const by = scorer(this.#metric, vector);
    const wants = (row: number): boolean => {
      const item = this.#items[row];
      return item !== undefined && (!accepts || accepts(item.metadata));
    };
    const take = ({ row, score }: Candidate): void => {
      const item = this.#items[row];
      if (!item || !top.admits(score, item.id) || by.toSimilarity(score) < threshold) return;
      if (wants(row)) top.add({ row, id: item.id, score });
    };
    return { scorer: by, limit, leastScore: by.toScore(threshold), wants, top, take };
  }

  #embedding(row: number): Embedding {
    const { id, metadata, timestamp } = this.#items[row] as ItemRecord;
    const embedding = { id, vector: this.#store.vector(row), timestamp };
    return metadata === undefined ? embedding : { ...embedding, metadata: structuredClone(metadata) };
  }
}
