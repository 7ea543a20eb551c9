import type { StoredItem } from './kept-items.js';
import type { Metric } from './metric.js';
import { type Found, VectorCollection } from './vector-collection.js';

/** An item that was not stored, because one like it is there. */
export interface Duplicate {
  readonly id: string;
  /** The one that is there. */
  readonly of: string;
  readonly similarity: number;
}

/**
 * Sets apart what is at least as similar as `threshold` to an item that is held, or to one before it in
 * the list. An item is no duplicate of the one it replaces.
 */
export function setDuplicatesApart(
  items: readonly StoredItem[],
  held: VectorCollection | undefined,
  metric: Metric,
  threshold: number,
): { readonly kept: StoredItem[]; readonly duplicates: Duplicate[] } {
  const queries = items.map(({ vector }) => ({ vector: Float64Array.from(vector), limit: 2, threshold }));
  const among = held?.nearest(queries);
  const before = new VectorCollection(items[0]?.vector.length ?? 0, metric);
  const kept: StoredItem[] = [];
  const duplicates: Duplicate[] = [];
  for (const [place, item] of items.entries()) {
    const { id } = item.record;
    const other = (found: readonly Found[] | undefined): Found | undefined => found?.find((hit) => hit.id !== id);
    const like = other(among?.[place]) ?? other(before.nearest(queries.slice(place, place + 1))[0]);
    if (like) duplicates.push({ id, of: like.id, similarity: like.similarity });
    else {
      kept.push(item);
      before.set(item.record, item.vector);
    }
  }
  return { kept, duplicates };
}
