import { findPeriod } from './detect-period.js';

/** A season that a series can be taken apart by, and what to say when it cannot. */
export interface UsablePeriod {
  readonly period: number | null;
  readonly notes: readonly string[];
}

/**
 * The period given, or else the one found. A period given without two full seasons of values cannot
 * be used: then there is none, and a note says so.
 *
 * @param given `null` for a series without season, `undefined` to look for one.
 */
export function usablePeriod(values: readonly number[], given: number | null | undefined): UsablePeriod {
  if (given === undefined) return { period: findPeriod(values), notes: [] };
  if (given === null || values.length >= 2 * given) return { period: given, notes: [] };
  return {
    period: null,
    notes: [
      `A season of ${given} steps needs at least ${2 * given} values, there are ${values.length}: it was left out.`,
    ],
  };
}
