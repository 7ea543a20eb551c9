import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import { searchArguments } from '../local/call-arguments.js';
import { assertLimit, assertThreshold } from '../local/checks.js';
import { type CheckedFilter, filterIn } from '../local/filter/checked-filter.js';
import { defaultNamespace, type SearchOptions } from '../local/local-memory-options.js';

/** Settings of a search by vector and filter alone. */
export type IndexedSearchOptions = Omit<SearchOptions, 'text' | 'decay' | 'mmr'>;

/** A search that was checked. */
export interface SearchRequest {
  /** As they were given: their signal and time bound the call. */
  readonly options: IndexedSearchOptions;
  readonly namespace: string;
  readonly limit: number;
  readonly threshold: number;
  readonly filter: CheckedFilter | undefined;
}

const searchChecks: OptionChecks<IndexedSearchOptions> = {
  namespace: is.text,
  // Looked at as data: the positional form takes them too.
  limit: is.anything,
  threshold: is.anything,
  filter: is.anything,
  signal: is.object,
  timeoutMs: is.milliseconds,
};

/** Reads what follows the query of `search`, in either form. @throws ConfigurationError ValidationError */
export function readSearch(
  limitOrOptions: number | IndexedSearchOptions | undefined,
  leastSimilarity: number | undefined,
): SearchRequest {
  const options: IndexedSearchOptions = searchArguments(limitOrOptions, leastSimilarity);
  checkOptions('search', options, searchChecks);
  const { namespace = defaultNamespace } = options;
  const limit = options.limit ?? 10;
  const threshold = options.threshold ?? leastSimilarity ?? Number.NEGATIVE_INFINITY;
  assertLimit(limit);
  assertThreshold(threshold);
  return { options, namespace, limit, threshold, filter: filterIn(options) };
}
