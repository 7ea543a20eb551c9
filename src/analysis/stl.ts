import { fitAt, loess } from './loess.js';
import { at, medianOf } from './numeric.js';

/** Settings of {@link stl}; odd numbers of steps unless said otherwise. */
export interface STLWindows {
  /** Seasons over which a phase may change; `periodic` for one season that never changes. */
  readonly season: number | 'periodic';
  /** Steps over which the trend may bend. @default the smallest odd number from `1.5 period / (1 - 1.5 / season)` */
  readonly trend?: number;
  /** Rounds in which outlying values lose their weight: 0 for none; R's `stl` has 15, and 5 are nearly as good. */
  readonly rounds: number;
  /** A weight for each value, 0 to leave it out; only without rounds. @default 1 for all */
  readonly weights?: Float64Array | undefined;
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
export function stl(
  values: ArrayLike<number>,
  period: number,
  { season, trend, rounds, weights: given }: STLWindows,
): STLParts {
  const n = values.length;
  const seasonWindow = season === 'periodic' ? 10 * n + 1 : season;
  const windows: Windows = {
    period,
    season: Math.max(3, seasonWindow),
    trend: odd(trend ?? Math.ceil((1.5 * period) / (1 - 1.5 / seasonWindow))),
    lowPass: odd(period),
  };
  const parts = { trend: new Float64Array(n), season: new Float64Array(n) };
  let weights = given;
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
  const low = loess(averaged, { window: lowPass, degree: 1 });
  for (let t = 0; t < n; t++) parts.season[t] = at(cycles, t + period) - at(low, t);
  const adjusted = Float64Array.from(values, (value, t) => value - at(parts.season, t));
  parts.trend.set(loess(adjusted, { window: trend, degree: 1, weights }));
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
    const smooth = loess(series, { window, degree: 0, weights: own });
    const before = fitAt(series, 0, 0, Math.min(window, count) - 1, window, 0, own);
    const after = fitAt(series, count + 1, Math.max(0, count - window), count - 1, window, 0, own);
    cycles[phase] = before ?? at(smooth, 0);
    for (let k = 0; k < count; k++) cycles[phase + (k + 1) * period] = at(smooth, k);
    cycles[phase + (count + 1) * period] = after ?? at(smooth, count - 1);
  }
  return cycles;
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
