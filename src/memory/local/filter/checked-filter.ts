import type { SelectOptions } from '../local-memory-options.js';
import { compileFilter, type MetadataFilter, type MetadataTest } from './metadata-filter.js';

/** A filter that was checked, and its predicate. */
export interface CheckedFilter {
  readonly filter: MetadataFilter;
  readonly accepts: MetadataTest;
}

/** @throws ValidationError for a bad filter */
export function checkFilter(filter: MetadataFilter): CheckedFilter {
  return { filter, accepts: compileFilter(filter) };
}

/** The filter that a call was given, if any. @throws ValidationError for a bad filter */
export function filterIn({ filter }: SelectOptions): CheckedFilter | undefined {
  return filter === undefined ? undefined : checkFilter(filter);
}
