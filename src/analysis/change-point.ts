import { at, isConstant, medianOf } from './numeric.js';
import { ranksOf } from './order.js';

/** The place that divides a series best into two levels. */
export interface ChangePoint {
  /** Position of the first value after the change, from 0. */
  readonly index: number;
  /** Pettitt's statistic. */
  readonly K: number;
  /** Chance of so large a K without a change; approximate, and rough above 0.5. A trend makes it small too. */
  readonly p: number;
  /** Medians of the values before and after. */
  readonly before: number;
  readonly after: number;
}

const fewest = 4;

/**
 * Pettitt's rank test for one change of level at an unknown place (Applied Statistics 28 (1979) 126). It
 * supposes independent values. `null` for fewer than 4 values and for equal ones.
 */
export function changePoint(values: readonly number[]): ChangePoint | null {
  const n = values.length;
  if (n < fewest || isConstant(values)) return null;
  const ranks = ranksOf(values);
  let sum = 0;
  let K = 0;
  let index = 1;
  for (let t = 1; t < n; t++) {
    sum += 2 * at(ranks, t - 1) - (n + 1);
    if (Math.abs(sum) <= K) continue;
    K = Math.abs(sum);
    index = t;
  }
  const p = Math.min(1, 2 * Math.exp((-6 * K * K) / (n ** 3 + n ** 2)));
  return { index, K, p, before: medianOf(values.slice(0, index)), after: medianOf(values.slice(index)) };
}
