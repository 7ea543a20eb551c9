import type { Embedding } from '../embedding.js';
import type { CheckedFilter } from './filter/checked-filter.js';
import type { MetadataFilter, MetadataTest } from './filter/metadata-filter.js';
import { MetadataIndex } from './filter/metadata-index.js';
import { type Candidate, lookThrough, type Search } from './look-through.js';
import { type Metric, scorer } from './metric.js';
import type { Standing } from './ranking/decay.js';
import { RowStore } from './row-store.js';
import type { TextIndex } from './text/text-index.js';
import { TopHits } from './top-hits.js';

/** What is kept beside a vector. The metadata is this collection's own copy. */
export interface ItemRecord {
  readonly id: string;
  readonly metadata: Record<string, unknown> | undefined;
  readonly timestamp: number;
  /** Milliseconds since the epoch; `Infinity` for never. */
  readonly expiresAt: number;
  readonly text: string | undefined;
  /** From 0 to 1. */
  readonly importance: number | undefined;
  /** What the item counts for in the memory's bound. */
  readonly bytes: number;
}

/** What a search of one collection goes by. */
export interface CollectionQuery {
  readonly vector: Float64Array;
  readonly limit: number;
  readonly threshold: number;
}

/** A row that was found, with its similarity to the query. */
export interface Found {
  readonly row: number;
  readonly id: string;
  readonly similarity: number;
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
  #texts: TextIndex | undefined;
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
    if (replaced) this.#texts?.remove(row, replaced.text);
    this.#texts?.add(row, item.text);
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
    const { bytes, metadata, text } = this.#items[row] as ItemRecord;
    this.#rowById.delete(id);
    this.#index.remove(row, metadata);
    this.#texts?.remove(row, text);
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
  search(queries: readonly CollectionQuery[], filter?: CheckedFilter): Embedding[][] {
    return this.nearest(queries, filter).map((found) => found.map(({ row, similarity }) => this.hit(row, similarity)));
  }

  /** As {@link VectorCollection.search}, by row. */
  nearest(queries: readonly CollectionQuery[], filter?: CheckedFilter): Found[][] {
    const searches = queries.map((query) => this.#searchOf(query, filter?.accepts));
    lookThrough(this.#store, searches, filter && this.#rowsFor(filter.filter));
    return searches.map(({ top, scorer: { toSimilarity } }) =>
      top.sorted().map(({ row, id, score }) => ({ row, id, similarity: toSimilarity(score) })),
    );
  }

  /** The rows whose texts have words of `words`, best first. Needs {@link VectorCollection.indexTexts}. */
  matching(words: string, limit: number, filter?: CheckedFilter): number[] {
    const accepts = (row: number): boolean => {
      const item = this.#items[row];
      return item !== undefined && (!filter || filter.accepts(item.metadata));
    };
    return this.#texts?.search(words, accepts).slice(0, limit) ?? [];
  }

  get hasTextIndex(): boolean {
    return this.#texts !== undefined;
  }

  /** Indexes the texts of all items, and of those to come. */
  indexTexts(index: TextIndex): void {
    this.#texts = index;
    for (const [row, item] of this.#items.entries()) if (item) index.add(row, item.text);
  }

  /** The ids of items that a filter accepts; of all without one. */
  ids(filter?: CheckedFilter): string[] {
    if (!filter) return [...this.#rowById.keys()];
    const rows = this.#rowsFor(filter.filter) ?? this.#items.keys();
    const found: string[] = [];
    for (const row of rows) {
      const item = this.#items[row];
      if (item && filter.accepts(item.metadata)) found.push(item.id);
    }
    return found;
  }

  idOf(row: number): string {
    return (this.#items[row] as ItemRecord).id;
  }

  standing(row: number): Standing {
    return this.#items[row] as ItemRecord;
  }

  /** The similarity of rows to a vector. */
  similarityTo(vector: Float64Array): (row: number) => number {
    const by = scorer(this.#metric, vector);
    return (row) => by.toSimilarity(this.#store.score(by, row));
  }

  /** How near other rows are to this one, from -1 or 0 to 1: by cosine where the metric has no such bounds. */
  nearnessTo(row: number): (other: number) => number {
    const by = scorer(this.#metric === 'dot' ? 'cosine' : this.#metric, Float64Array.from(this.#store.view(row)));
    return (other) => by.toSimilarity(this.#store.score(by, other));
  }

  /** A copy of an item as a hit. */
  hit(row: number, similarity: number, score?: number): Embedding {
    const embedding = this.#embedding(row);
    embedding.similarity = similarity;
    if (score !== undefined) embedding.score = score;
    return embedding;
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
    const { id, metadata, timestamp, text, importance } = this.#items[row] as ItemRecord;
    const embedding: Embedding = { id, vector: this.#store.vector(row), timestamp };
    if (text !== undefined) embedding.text = text;
    if (importance !== undefined) embedding.importance = importance;
    if (metadata !== undefined) embedding.metadata = structuredClone(metadata);
    return embedding;
  }
}
