import type { Embedding } from '../embedding.js';
import type { Metric } from '../local/metric.js';
import { similarityOf } from '../local/similarity.js';
import type { SearchRequest } from './search-request.js';

/** Neighbours are fetched by an engine's float32 arithmetic and ranked by float64: some more than asked, for near ties. */
export const spareNeighbours = 16;

/** The hits among neighbours that an engine found, ranked as `LocalVectorMemory` ranks. Gives them their similarity. */
export function rankHits(
  neighbours: readonly Embedding[],
  metric: Metric,
  query: Float64Array,
  { limit, threshold }: SearchRequest,
): Embedding[] {
  const similarityTo = similarityOf(metric, query);
  return neighbours
    .map((embedding) => Object.assign(embedding, { similarity: similarityTo(embedding.vector) }))
    .filter((hit) => hit.similarity >= threshold)
    .sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
    .slice(0, limit);
}
