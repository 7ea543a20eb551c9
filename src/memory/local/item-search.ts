import { type CallScope, ValidationError } from '../../core/index.js';
import type { Embedding } from '../embedding.js';
import { assertLimit, assertThreshold } from './checks.js';
import { type CheckedFilter, filterIn } from './filter/checked-filter.js';
import type { KeptItems } from './kept-items.js';
import { checkCall, defaultNamespace, type SearchOptions } from './local-memory-options.js';
import type { Decay } from './ranking/decay.js';
import type { MMR } from './ranking/diversify.js';
import { rankedSearch } from './ranking/ranked-search.js';
import { TextIndex } from './text/text-index.js';
import type { CollectionQuery, VectorCollection } from './vector-collection.js';
import { assertDimension, type VectorInput } from './vector-input.js';
import type { VectorSource } from './vector-source.js';

/** What the queries of one call share, checked. */
export interface SearchSettings {
  readonly namespace: string;
  readonly limit: number;
  readonly threshold: number;
  readonly filter: CheckedFilter | undefined;
  readonly text: string | true | undefined;
  readonly decay: Decay | undefined;
  readonly mmr: MMR | undefined;
}

/** @throws ConfigurationError ValidationError */
export function readSettings(call: string, options: SearchOptions): SearchSettings {
  checkCall.search(call, options);
  const { namespace = defaultNamespace, limit = 10, threshold = Number.NEGATIVE_INFINITY } = options;
  assertLimit(limit);
  assertThreshold(threshold);
  const filter = filterIn(options);
  const { text, decay, mmr } = options;
  return { namespace, limit, threshold, filter, text, decay, mmr };
}

/** Searches what a memory holds. */
export class ItemSearch {
  readonly #source: VectorSource;
  readonly #items: KeptItems;

  constructor(source: VectorSource, items: KeptItems) {
    this.#source = source;
    this.#items = items;
  }

  /**
   * Checks and copies queries at once; what it gives makes their vectors and finds the hits of each.
   *
   * @throws ValidationError ConfigurationError
   */
  prepare(
    call: string,
    queries: readonly (VectorInput | string)[],
    { namespace, limit, threshold, filter, text, decay, mmr }: SearchSettings,
  ): (scope: CallScope) => Promise<Embedding[][]> {
    const reads = queries.map((query) => this.#source.read(query, 'query'));
    const words = queries.map((query) => wordsFor(query, text, call));
    return async (scope) => {
      await this.#items.ready();
      const vectors = await this.#source.vectors(reads, scope);
      for (const vector of vectors) assertDimension(vector, this.#items.dimension, 'query');
      const collection = this.#items.collection(namespace);
      if (!collection) return reads.map(() => []);
      const all: CollectionQuery[] = vectors.map((vector) => ({ vector, limit, threshold }));
      if (text === undefined && !decay && !mmr) return collection.search(all, filter);
      if (text !== undefined) await indexTexts(collection);
      return all.map((query, place) => rankedSearch(collection, query, { words: words[place], decay, mmr }, filter));
    };
  }
}

async function indexTexts(collection: VectorCollection): Promise<void> {
  if (collection.hasTextIndex) return;
  const index = await TextIndex.create();
  if (!collection.hasTextIndex) collection.indexTexts(index);
}

function wordsFor(query: VectorInput | string, text: string | true | undefined, call: string): string | undefined {
  if (text !== true) return text;
  if (typeof query === 'string') return query;
  throw new ValidationError(call, [{ path: ['text'], message: 'must be a text where the query is a vector' }]);
}
