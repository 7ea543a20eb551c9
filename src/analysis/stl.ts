import { at, medianOf } from './numeric.js';

/** Settings of {@link stl}; odd numbers of steps unless said otherwise. */
export interface STLWindows {
  /** Seasons over which a phase may change; `periodic` for one season that never changes. */
  readonly season: number | 'periodic';
  /** Steps over which the trend may bend. @default the smallest odd number from `1.5 period / (1 - 1.5 / season)` */
  readonly trend?: number;
  /** Rounds in which outlying values lose their weight: 0 for none; R's `stl` has 15, and 5 are nearly as good. */
  readonly rounds: number;
}

/** Parts of a series that sum to it. */
export interface STLParts {
  readonly trend: Float64Array;
  readonly season: Float64Array;
  readonly remainder: Float64Array;
}

/**
 * Seasonal-trend decomposition by loess (R. B. Cleveland, W. S. Cleveland, McRae and Terpenning, Journal
 * of Official Statistics 6 (1990) 3), with the settings of R's `stl`: local lines for trend and low-pass,
 * local constants for the phases, every tenth of a window fitted and the rest between on straight lines.
 *
 * @param values At least two full periods.
 */
export function stl(values: ArrayLike<number>, period: number, { season, trend, rounds }: STLWindows): STLParts {
  const n = values.length;
  const seasonWindow = season === 'periodic' ? 10 * n + 1 : season;
  const windows: Windows = {
    period,
    season: Math.max(3, seasonWindow),
    trend: odd(trend ?? Math.ceil((1.5 * period) / (1 - 1.5 / seasonWindow))),
    lowPass: odd(period),
  };
  const parts = { trend: new Float64Array(n), season: new Float64Array(n) };
  let weights: Float64Array | undefined;
  for (let round = 0; round <= rounds; round++) {
    for (let pass = 0; pass < (rounds > 0 ? 1 : 2); pass++) improve(values, parts, windows, weights);
    if (round < rounds) weights = robustWeights(values, parts);
  }
  if (season === 'periodic') averagePhases(parts.season, period);
  const remainder = Float64Array.from(values, (value, t) => value - at(parts.season, t) - at(parts.trend, t));
  return { ...parts, remainder };
}

interface Windows {
  readonly period: number;
  readonly season: number;
  readonly trend: number;
  readonly lowPass: number;
}

/** One pass of the inner loop. */
function improve(
  values: ArrayLike<number>,
  parts: { readonly trend: Float64Array; readonly season: Float64Array },
  { period, season, trend, lowPass }: Windows,
  weights: Float64Array | undefined,
): void {
  const n = values.length;
  const detrended = Float64Array.from(values, (value, t) => value - at(parts.trend, t));
  const cycles = smoothPhases(detrended, period, season, weights);
  const averaged = movingAverage(movingAverage(movingAverage(cycles, period), period), 3);
  const low = loess(averaged, { window: lowPass, degree: 1, jump: jumpOf(lowPass) });
  for (let t = 0; t < n; t++) parts.season[t] = at(cycles, t + period) - at(low, t);
  const adjusted = Float64Array.from(values, (value, t) => value - at(parts.season, t));
  parts.trend.set(loess(adjusted, { window: trend, degree: 1, jump: jumpOf(trend), weights }));
}

/** Each phase smoothed over the seasons and continued by one at both ends: `n + 2 period` values. */
function smoothPhases(
  values: Float64Array,
  period: number,
  window: number,
  weights: Float64Array | undefined,
): Float64Array {
  const cycles = new Float64Array(values.length + 2 * period);
  for (let phase = 0; phase < period; phase++) {
    const count = Math.floor((values.length - phase - 1) / period) + 1;
    const take = (from: Float64Array): Float64Array =>
      Float64Array.from({ length: count }, (_, k) => at(from, phase + k * period));
    const series = take(values);
    const own = weights && take(weights);
    const smooth = loess(series, { window, degree: 0, jump: jumpOf(window), weights: own });
    const before = fitAt(series, 0, 0, Math.min(window, count) - 1, window, 0, own);
    const after = fitAt(series, count + 1, Math.max(0, count - window), count - 1, window, 0, own);
    cycles[phase] = before ?? at(smooth, 0);
    for (let k = 0; k < count; k++) cycles[phase + (k + 1) * period] = at(smooth, k);
    cycles[phase + (count + 1) * period] = after ?? at(smooth, count - 1);
  }
  return cycles;
}

interface Loess {
  readonly window: number;
  readonly degree: 0 | 1;
  /** Only every so many places are fitted. */
  readonly jump: number;
  readonly weights?: Float64Array | undefined;
}

function loess(values: Float64Array, { window, degree, jump, weights }: Loess): Float64Array {
  const n = values.length;
  if (n < 2) return values.slice();
  const smooth = new Float64Array(n);
  const step = Math.min(jump, n - 1);
  const half = (window + 1) >> 1;
  const place = (t: number): number => {
    const left = window >= n ? 0 : Math.max(0, Math.min(n - window, t + 1 - half));
    const right = window >= n ? n - 1 : left + window - 1;
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
function fitAt(
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

/** Averages of all stretches of so many values. */
export function movingAverage(values: Float64Array, length: number): Float64Array {
  const averages = new Float64Array(values.length - length + 1);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += at(values, i);
    if (i >= length) sum -= at(values, i - length);
    if (i >= length - 1) averages[i - length + 1] = sum / length;
  }
  return averages;
}

/** Bisquare weights by six median absolute remainders. */
function robustWeights(
  values: ArrayLike<number>,
  parts: { readonly trend: Float64Array; readonly season: Float64Array },
): Float64Array {
  const sizes = Float64Array.from(values, (value, t) => Math.abs(value - at(parts.trend, t) - at(parts.season, t)));
  const limit = 6 * medianOf(sizes);
  return sizes.map((size) => {
    if (size <= 0.001 * limit) return 1;
    return size > 0.999 * limit ? 0 : (1 - (size / limit) ** 2) ** 2;
  });
}

function averagePhases(season: Float64Array, period: number): void {
  for (let phase = 0; phase < Math.min(period, season.length); phase++) {
    let sum = 0;
    let count = 0;
    for (let t = phase; t < season.length; t += period, count++) sum += at(season, t);
    for (let t = phase; t < season.length; t += period) season[t] = sum / count;
  }
}

function odd(size: number): number {
  return size % 2 === 0 ? size + 1 : size;
}

function jumpOf(window: number): number {
  return Math.ceil(window / 10);
}
