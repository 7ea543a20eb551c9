import type { Metric } from '../local/metric.js';
import { MemoryStorageError } from '../memory-storage-error.js';

/** What stored vectors are for, kept beside them. */
export interface StoredFacts {
  readonly metric: Metric;
  readonly dimension: number;
  readonly model: string | null;
}

/** What a memory asks of them: anything where it does not say. */
export interface WantedFacts {
  readonly metric: Metric;
  readonly dimension: number | undefined;
  readonly model: string | undefined;
}

/**
 * @param place as the error names it: `The table notes`
 * @param kind what to take another of
 * @throws MemoryStorageError `mismatch`
 */
export function assertFacts(facts: StoredFacts, wanted: WantedFacts, place: string, kind: 'table' | 'path'): void {
  for (const key of ['metric', 'dimension', 'model'] as const) {
    const [has, asked] = [facts[key], wanted[key]];
    if (asked === undefined || has === null || has === asked) continue;
    const text = `${place} holds vectors of ${key} ${has}, not ${asked}. Nothing was changed; use another ${kind}.`;
    throw new MemoryStorageError('mismatch', text);
  }
}
