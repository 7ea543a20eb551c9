import { at, isConstant, medianOf, plainMean, squaredDeviations } from './numeric.js';
import { modifiedZScores, outlierThreshold } from './outliers.js';
import { runningMedian } from './running-median.js';

/** A series as trend, season and remainder: their sum, or their product in the multiplicative model. */
export interface Decomposition {
  readonly model: 'additive' | 'multiplicative';
  /** Trend and season together: what each value was expected to be. */
  readonly expected: Float64Array;
  /** Values less `expected`; in the multiplicative model the logarithm of the quotient. */
  readonly remainder: Float64Array;
  /** Share of the variance beside the trend that the season explains, 0 to 1; 0 without a period. */
  readonly seasonalStrength: number;
}

/** Width of the moving windows where there is no period. */
const plainWidth = 7;

/**
 * Classical decomposition by centred moving averages, made robust: a first pass with running medians
 * and phase medians finds outlying values, and the second pass sees what was expected in their place,
 * if that leaves smaller remainders in the mean. The ends of the trend are continued by a straight line.
 * Positive seasonal series are taken as multiplicative where that leaves less unexplained. The strength
 * is that of Wang, Smith and Hyndman, Data Mining and Knowledge Discovery 13 (2006) 335.
 *
 * @param period With at least two full periods in the series, or `null` for trend alone.
 */
export function decompose(values: readonly number[], period: number | null): Decomposition {
  const additive = additively(values, period);
  if (period === null || values.some((value) => value <= 0)) return { model: 'additive', ...additive };
  const logs = additively(values.map(Math.log), period);
  const expected = logs.expected.map(Math.exp);
  if (absoluteError(values, expected) >= absoluteError(values, additive.expected)) {
    return { model: 'additive', ...additive };
  }
  return { model: 'multiplicative', ...logs, expected };
}

function additively(values: readonly number[], period: number | null): Omit<Decomposition, 'model'> {
  const first = takeApart(values, period, robustTrend, medianOf);
  const scores = modifiedZScores(first.remainder, Math.abs(medianOf(values)));
  const cleaned = values.map((value, i) =>
    Math.abs(at(scores, i)) > outlierThreshold ? at(first.trend, i) + at(first.season, i) : value,
  );
  const averaged = [values, cleaned].map((series) => {
    const { trend, season } = takeApart(series, period, averageTrend, plainMean);
    const expected = trend.map((level, i) => level + at(season, i));
    const remainder = Float64Array.from(values, (value, i) => value - at(expected, i));
    return { trend, expected, remainder, size: plainMean(remainder.map(Math.abs)) };
  });
  const { trend, expected, remainder } = averaged.reduce((a, b) => (b.size < a.size ? b : a));
  const detrended = Float64Array.from(values, (value, i) => value - at(trend, i));
  const variance = squaredDeviations(detrended);
  const strength = period === null || variance === 0 ? 0 : 1 - squaredDeviations(remainder) / variance;
  return { expected, remainder, seasonalStrength: Math.max(0, strength) };
}

interface Parts {
  readonly trend: Float64Array;
  readonly season: Float64Array;
  readonly remainder: Float64Array;
}

function takeApart(
  values: readonly number[],
  period: number | null,
  trendOf: (values: readonly number[], width: number) => Float64Array,
  centreOf: (values: ArrayLike<number>) => number,
): Parts {
  const n = values.length;
  const trend = trendOf(values, period ?? plainWidth);
  const season = new Float64Array(n);
  if (period !== null) {
    const phases = Array.from({ length: period }, (_, phase) => {
      const count = Math.ceil((n - phase) / period);
      return centreOf(
        Float64Array.from({ length: count }, (_, k) => at(values, phase + k * period) - at(trend, phase + k * period)),
      );
    });
    const centre = plainMean(phases);
    for (let i = 0; i < n; i++) season[i] = at(phases, i % period) - centre;
  }
  const remainder = Float64Array.from(values, (value, i) => value - at(trend, i) - at(season, i));
  return { trend, season, remainder };
}

function robustTrend(values: readonly number[], width: number): Float64Array {
  const odd = oddWithin(width, values.length);
  return withEnds(runningMedian(values, odd), values.length);
}

/** Moving average over one period, the ends of an even window at half weight. */
function averageTrend(values: readonly number[], width: number): Float64Array {
  const odd = oddWithin(width, values.length);
  const endWeight = width % 2 === 0 && odd === width + 1 ? 0.5 : 1;
  const averages = new Float64Array(values.length - odd + 1);
  const weight = odd - 2 * (1 - endWeight);
  let sum = 0;
  for (let start = 0; start < averages.length; start++) {
    // Moved along by one value, and summed afresh once per window so that rounding does not pile up.
    if (start % odd !== 0) sum += at(values, start + odd - 1) - at(values, start - 1);
    else sum = sumOf(values, start, start + odd);
    averages[start] = (sum - (1 - endWeight) * (at(values, start) + at(values, start + odd - 1))) / weight;
  }
  return withEnds(averages, values.length);
}

function sumOf(values: readonly number[], from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += at(values, i);
  return sum;
}

/** The smallest odd window that covers the width, or the largest odd one the series has room for. */
function oddWithin(width: number, n: number): number {
  const odd = width % 2 === 0 ? width + 1 : width;
  return odd <= n ? odd : n - 1 + (n % 2);
}

/** Continues the middle part of a trend to both ends by the line through its nearest stretch. */
function withEnds(middle: Float64Array, n: number): Float64Array {
  const trend = new Float64Array(n);
  const margin = (n - middle.length) / 2;
  trend.set(middle, margin);
  const stretch = Math.min(middle.length, 2 * margin + 1);
  const head = lineThrough(middle.subarray(0, stretch));
  const tail = lineThrough(middle.subarray(middle.length - stretch));
  for (let i = 0; i < margin; i++) {
    trend[i] = head(i - margin);
    trend[n - 1 - i] = tail(stretch - 1 + margin - i);
  }
  return trend;
}

function lineThrough(points: Float64Array): (step: number) => number {
  const centre = (points.length - 1) / 2;
  const mean = isConstant(points) ? at(points, 0) : plainMean(points);
  let cross = 0;
  let square = 0;
  for (let i = 0; i < points.length; i++) {
    cross += (i - centre) * (at(points, i) - mean);
    square += (i - centre) ** 2;
  }
  const slope = square > 0 ? cross / square : 0;
  return (step) => mean + slope * (step - centre);
}

function absoluteError(values: readonly number[], expected: Float64Array): number {
  return values.reduce((sum, value, i) => sum + Math.abs(value - at(expected, i)), 0);
}
