import { normal } from './distributions/normal.js';
import { countFalls, tieTerms } from './order.js';

/** A two-sided test for a monotonic trend. */
export interface MannKendall {
  /** Pairs that rise less pairs that fall. */
  readonly S: number;
  /** Variance of S when there is no trend, corrected for ties. */
  readonly varS: number;
  /** Standardised S with continuity correction; 0 where varS is 0. */
  readonly z: number;
  readonly p: number;
  /** Kendall's tau-b, -1 to 1; 0 for equal values. */
  readonly tau: number;
}

/**
 * Mann-Kendall trend test by the normal approximation (Mann, Econometrica 13 (1945) 245; Kendall, Rank
 * Correlation Methods, 1975), with tie correction. It supposes independent values. S comes from a
 * merge sort, as in Knight, JASA 61 (1966) 436: O(n log n).
 */
export function mannKendall(values: ArrayLike<number>): MannKendall {
  const n = values.length;
  const { falls, ordered } = countFalls(values);
  const ties = tieTerms(ordered);
  const pairs = (n * (n - 1)) / 2;
  const S = pairs - ties.pairs - 2 * falls;
  const varS = (n * (n - 1) * (2 * n + 5) - ties.variance) / 18;
  const z = varS > 0 ? (S - Math.sign(S)) / Math.sqrt(varS) : 0;
  const tau = pairs > ties.pairs ? S / Math.sqrt(pairs * (pairs - ties.pairs)) : 0;
  return { S, varS, z, p: normal.twoSided(z), tau };
}
