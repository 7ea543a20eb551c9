import { at } from './numeric.js';

/**
 * Medians of the windows of `width` values (odd) that lie fully inside the series: `n - width + 1` of
 * them. The window is kept sorted, so a step costs a binary search and one move.
 */
export function runningMedian(values: ArrayLike<number>, width: number): Float64Array {
  const count = values.length - width + 1;
  const medians = new Float64Array(Math.max(0, count));
  if (count < 1) return medians;
  const window = Float64Array.from({ length: width }, (_, i) => at(values, i)).sort();
  const middle = (width - 1) / 2;
  medians[0] = at(window, middle);
  for (let start = 1; start < count; start++) {
    replace(window, at(values, start - 1), at(values, start + width - 1));
    medians[start] = at(window, middle);
  }
  return medians;
}

function replace(window: Float64Array, leaving: number, entering: number): void {
  const from = firstNotBelow(window, leaving);
  const to = firstNotBelow(window, entering);
  if (to > from) {
    window.copyWithin(from, from + 1, to);
    window[to - 1] = entering;
  } else {
    window.copyWithin(to + 1, to, from);
    window[to] = entering;
  }
}

function firstNotBelow(window: Float64Array, value: number): number {
  let low = 0;
  let high = window.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(window, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
