import { at, isConstant, largestMagnitude, plainMean } from './numeric.js';
import { modifiedZScores, outlierThreshold } from './outliers.js';
import { runningMedian } from './running-median.js';
import { movingAverage, type STLParts, stl } from './stl.js';

/** Width of the moving windows where there is no period. */
const width = 7;

/** A series as the anomalies and the strength of its season are judged by. */
export interface RobustParts extends STLParts {
  /** Whether the parts are of the logarithms. */
  readonly model: 'additive' | 'multiplicative';
  /** Trend and season together, in the unit of the values. */
  readonly expected: Float64Array;
}

/**
 * Trend, season and remainder with outlying values left out of account: robust STL, or a smoothed running
 * median without a season. Positive seasonal series are taken as multiplicative where that leaves less
 * unexplained.
 *
 * @param period With at least two full periods in the series, or `null` for trend alone.
 */
export function takeApartRobustly(values: readonly number[], period: number | null): RobustParts {
  const additive = expectedOf(takeApart(values, period));
  if (period === null || values.some((value) => value <= 0)) return { model: 'additive', ...additive };
  const logs = expectedOf(takeApart(values.map(Math.log), period));
  const expected = logs.expected.map(Math.exp);
  const chosen = absoluteError(values, expected) < absoluteError(values, additive.expected);
  return chosen ? { model: 'multiplicative', ...logs, expected } : { model: 'additive', ...additive };
}

/**
 * Robust periodic STL. Without a period the trend is a moving mean of 7 values, in which values far from
 * the running median are replaced by it if that leaves smaller remainders.
 */
export function takeApart(values: readonly number[], period: number | null): STLParts {
  if (period !== null) return stl(values, period, { season: 'periodic', rounds: 6 });
  const n = values.length;
  const window = Math.min(width, n - 1 + (n % 2));
  const medians = withEnds(runningMedian(values, window), n);
  const scores = modifiedZScores(
    values.map((value, t) => value - at(medians, t)),
    largestMagnitude(values),
  );
  const cleaned = values.map((value, t) => (Math.abs(at(scores, t)) > outlierThreshold ? at(medians, t) : value));
  const [trend = medians] = [cleaned, values]
    .map((series) => withEnds(movingAverage(Float64Array.from(series), window), n))
    .sort((a, b) => absoluteError(values, a) - absoluteError(values, b));
  const remainder = Float64Array.from(values, (value, t) => value - at(trend, t));
  return { trend, season: new Float64Array(n), remainder };
}

function expectedOf(parts: STLParts): STLParts & { readonly expected: Float64Array } {
  return { ...parts, expected: parts.trend.map((level, t) => level + at(parts.season, t)) };
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
