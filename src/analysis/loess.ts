import { at } from './numeric.js';

/** Settings of {@link loess}. */
export interface Loess {
  /** Steps over which a fit looks; values farther than half of it have no say, but at the ends. */
  readonly window: number;
  readonly degree: 0 | 1;
  /** Only every so many places are fitted, those between lie on straight lines. @default a tenth of the window */
  readonly jump?: number;
  /** One for each value; 0 leaves it out. */
  readonly weights?: Float64Array | undefined;
}

/** Local regression with tricube weights on equally spaced values, in the manner of R's `stl`. */
export function loess(values: Float64Array, { window, degree, jump = jumpOf(window), weights }: Loess): Float64Array {
  const n = values.length;
  if (n < 2) return values.slice();
  const smooth = new Float64Array(n);
  const step = Math.min(jump, n - 1);
  const place = (t: number): number => {
    const [left, right] = reachOf(t, n, window);
    return fitAt(values, t + 1, left, right, window, degree, weights) ?? at(values, t);
  };
  let last = 0;
  for (let t = 0; t < n; t += step) {
    smooth[t] = place(t);
    fillBetween(smooth, t - step, t);
    last = t;
  }
  if (last < n - 1) {
    smooth[n - 1] = place(n - 1);
    fillBetween(smooth, last, n - 1);
  }
  return smooth;
}

function fillBetween(smooth: Float64Array, from: number, to: number): void {
  if (from < 0) return;
  const slope = (at(smooth, to) - at(smooth, from)) / (to - from);
  for (let t = from + 1; t < to; t++) smooth[t] = at(smooth, from) + slope * (t - from);
}

/**
 * The local fit at a position counted from 1, on the values from `left` to `right` with tricube weights;
 * nothing where all weights are 0.
 */
export function fitAt(
  values: Float64Array,
  position: number,
  left: number,
  right: number,
  window: number,
  degree: 0 | 1,
  weights: Float64Array | undefined,
): number | undefined {
  const n = values.length;
  const reach = Math.max(position - (left + 1), right + 1 - position) + (window > n ? (window - n) >> 1 : 0);
  const far = 0.999 * reach;
  const near = 0.001 * reach;
  // Sums over the weights, with places counted from the position.
  let total = 0;
  let first = 0;
  let second = 0;
  let level = 0;
  let cross = 0;
  for (let j = left; j <= right; j++) {
    const place = j + 1 - position;
    const distance = Math.abs(place);
    if (distance > far) continue;
    let weight = weights ? at(weights, j) : 1;
    if (distance > near) {
      const share = distance / reach;
      const rest = 1 - share * share * share;
      weight *= rest * rest * rest;
    }
    const weighted = weight * at(values, j);
    total += weight;
    first += weight * place;
    second += weight * place * place;
    level += weighted;
    cross += weighted * place;
  }
  if (total <= 0) return undefined;
  const centre = first / total;
  const mean = level / total;
  const square = second / total - centre * centre;
  if (degree === 0 || !(Math.sqrt(square) > 0.001 * (n - 1))) return mean;
  return mean - (centre * (cross / total - centre * mean)) / square;
}

/** First and last of the values that the fit at a place rests on. */
function reachOf(t: number, n: number, window: number): [left: number, right: number] {
  const left = window >= n ? 0 : Math.max(0, Math.min(n - window, t + 1 - ((window + 1) >> 1)));
  return [left, window >= n ? n - 1 : left + window - 1];
}

/**
 * The share that each of `n` values has in the local line at its own place: 1 where the line goes through it.
 */
export function leverages(n: number, window: number): Float64Array {
  const shares = new Float64Array(n);
  const impulse = new Float64Array(n);
  const ends = Math.min((n + 1) >> 1, (window + 1) >> 1);
  for (let t = 0; t < ends; t++) {
    impulse[t] = 1;
    const share = fitAt(impulse, t + 1, ...reachOf(t, n, window), window, 1, undefined) ?? 1;
    impulse[t] = 0;
    shares[t] = share;
    shares[n - 1 - t] = share;
  }
  return shares.fill(at(shares, ends - 1), ends, Math.max(ends, n - ends));
}

function jumpOf(window: number): number {
  return Math.ceil(window / 10);
}
