import type { Embedding } from '../../embedding.js';
import type { CheckedFilter } from '../filter/checked-filter.js';
import type { CollectionQuery, Found, VectorCollection } from '../vector-collection.js';
import { type Decay, weightOf } from './decay.js';
import { diversify, type MMR } from './diversify.js';
import { fuse } from './fuse.js';

/** What ranks hits besides their similarity. */
export interface Ranking {
  /** Texts that have these words are hits too. */
  readonly words?: string | undefined;
  readonly decay?: Decay | undefined;
  readonly mmr?: MMR | undefined;
}

/** A hit on its way: `score` is what it ranks by. */
interface Ranked extends Found {
  readonly score: number;
}

/** As many of each list are fused at least. */
const leastDepth = 100;

/** Searches one collection by vector, words, age, importance and difference. */
export function rankedSearch(
  collection: VectorCollection,
  query: CollectionQuery,
  { words, decay, mmr }: Ranking,
  filter: CheckedFilter | undefined,
): Embedding[] {
  const { lambda = 0.5, candidates = Math.max(50, query.limit * 5) } = mmr ?? {};
  const wanted = mmr ? Math.max(candidates, query.limit) : query.limit;
  const now = Date.now();
  const weight = ({ row }: Found): number => (decay ? weightOf(collection.standing(row), decay, now) : 1);
  let ranked: Ranked[];
  if (words !== undefined) ranked = byWords(collection, { ...query, limit: wanted }, words, weight, filter);
  else if (decay) ranked = byWeight(collection, { ...query, limit: wanted }, weight, filter);
  else
    ranked = nearest(collection, { ...query, limit: wanted }, filter).map((hit) => ({ ...hit, score: hit.similarity }));
  const hits = mmr ? spread(collection, ranked.slice(0, wanted), query.limit, lambda) : ranked.slice(0, query.limit);
  const scored = words !== undefined || decay !== undefined;
  return hits.map(({ row, similarity, score }) => collection.hit(row, similarity, scored ? score : undefined));
}

function nearest(
  collection: VectorCollection,
  query: CollectionQuery,
  filter: CheckedFilter | undefined,
): readonly Found[] {
  return collection.nearest([query], filter)[0] ?? [];
}

/** Fuses the nearest vectors with the best texts. */
function byWords(
  collection: VectorCollection,
  query: CollectionQuery,
  words: string,
  weight: (hit: Found) => number,
  filter: CheckedFilter | undefined,
): Ranked[] {
  const depth = Math.max(leastDepth, query.limit * 4);
  const near = nearest(collection, { ...query, limit: depth }, filter);
  const texts = collection.matching(words, depth, filter);
  const known = new Map(near.map((hit) => [hit.row, hit]));
  const similarityTo = collection.similarityTo(query.vector);
  const ranked: Ranked[] = [];
  for (const [row, score] of fuse([near.map((hit) => hit.row), texts])) {
    const hit = known.get(row) ?? { row, id: collection.idOf(row), similarity: similarityTo(row) };
    if (hit.similarity >= query.threshold) ranked.push({ ...hit, score: score * weight(hit) });
  }
  return ranked.sort(better);
}

/**
 * The best by similarity times weight, of all items: weights are 1 at most, so what is less similar
 * than the last of the nearest cannot score higher than its similarity. Looks at more until that
 * settles who is among the hits.
 */
function byWeight(
  collection: VectorCollection,
  query: CollectionQuery,
  weight: (hit: Found) => number,
  filter: CheckedFilter | undefined,
): Ranked[] {
  for (let look = Math.max(leastDepth, query.limit * 4); ; look *= 8) {
    const near = nearest(collection, { ...query, limit: look }, filter);
    const ranked = near.map((hit) => ({ ...hit, score: Math.max(0, hit.similarity) * weight(hit) })).sort(better);
    const last = ranked[query.limit - 1];
    if (near.length < look || (last && last.score > (near.at(-1) as Found).similarity)) return ranked;
  }
}

function spread(collection: VectorCollection, ranked: readonly Ranked[], limit: number, lambda: number): Ranked[] {
  // Fused and weighted scores have another scale than similarities between hits: bring the best to its similarity.
  const best = ranked[0];
  const scale = best && best.score > 0 ? Math.max(best.similarity, 0) / best.score : 1;
  const choices = ranked.map((hit) => ({ ...hit, relevance: hit.score * scale }));
  return diversify(choices, limit, lambda, (row) => collection.nearnessTo(row));
}

function better(a: Ranked, b: Ranked): number {
  return b.score - a.score || b.similarity - a.similarity || (a.id < b.id ? -1 : 1);
}
