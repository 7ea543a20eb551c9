import { at } from './numeric.js';

/** Pairs `i < j` with a larger value first, counted while merging; and the values in order. */
export function countFalls(values: ArrayLike<number>): { falls: number; ordered: Float64Array } {
  const n = values.length;
  let from: Float64Array = Float64Array.from(values);
  let to: Float64Array = new Float64Array(n);
  let falls = 0;
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(start + width, n);
      const end = Math.min(start + 2 * width, n);
      let left = start;
      let right = middle;
      for (let out = start; out < end; out++) {
        if (left < middle && (right >= end || at(from, left) <= at(from, right))) {
          to[out] = at(from, left++);
        } else {
          to[out] = at(from, right++);
          falls += middle - left;
        }
      }
    }
    [from, to] = [to, from];
  }
  return { falls, ordered: from };
}

/** Sums over the groups of equal values in order, of so many members t each. */
export interface Ties {
  /** t (t - 1) / 2 */
  readonly pairs: number;
  /** t (t - 1) (2 t + 5) */
  readonly variance: number;
  /** t (t - 1) (t - 2) */
  readonly triples: number;
}

export function tieTerms(ordered: ArrayLike<number>): Ties {
  let pairs = 0;
  let variance = 0;
  let triples = 0;
  for (let start = 0, end = 0; start < ordered.length; start = end) {
    while (end < ordered.length && ordered[end] === ordered[start]) end++;
    const size = end - start;
    pairs += (size * (size - 1)) / 2;
    variance += size * (size - 1) * (2 * size + 5);
    triples += size * (size - 1) * (size - 2);
  }
  return { pairs, variance, triples };
}

/** Ranks from 1, equal values sharing the mean of theirs. */
export function ranksOf(values: ArrayLike<number>): Float64Array {
  const n = values.length;
  const order = Uint32Array.from({ length: n }, (_, index) => index).sort((a, b) => at(values, a) - at(values, b));
  const ranks = new Float64Array(n);
  for (let start = 0, end = 0; start < n; start = end) {
    const value = values[order[start] ?? 0];
    while (end < n && values[order[end] ?? 0] === value) end++;
    for (let k = start; k < end; k++) ranks[order[k] ?? 0] = (start + 1 + end) / 2;
  }
  return ranks;
}
