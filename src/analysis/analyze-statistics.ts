import { requireFraction, requireKnown, requireOneOf } from './checks.js';
import { compensatedDeviation, compensatedMean } from './compensated.js';
import { studentT } from './distributions/student-t.js';
import { at, isConstant, medianOf, medianOfSorted, quantileOfSorted, sorted } from './numeric.js';
import { findOutliers, type Outlier, type OutlierMethod } from './outliers.js';
import { readSeries, type SeriesInput, type SeriesOptions, seriesOptionNames } from './parse-series.js';
import { clampToDouble, finiteOrNull, scaled } from './scale.js';

/** Settings of {@link analyzeStatistics}. */
export interface StatisticsOptions extends SeriesOptions {
  /** Level of the interval for the mean, strictly between 0 and 1. @default 0.95 */
  readonly confidence?: number;
  /** How outliers are told. @default 'mad' */
  readonly outlierMethod?: OutlierMethod;
}

/** The test of Jarque and Bera, International Statistical Review 55 (1987) 163. */
export interface JarqueBera {
  /** n/6 (skewness² + kurtosis²/4) */
  readonly statistic: number;
  /** By chi-squared with 2 degrees of freedom; rough below some 100 values, where it rejects too seldom. */
  readonly p: number;
}

/**
 * What {@link analyzeStatistics} found. A figure that few or equal values cannot give, or that no
 * double can hold, is `null` and `notes` say why; nothing is ever `NaN` or infinite.
 */
export interface Statistics {
  readonly n: number;
  readonly mean: number;
  readonly median: number;
  /** Of the sample, with n - 1. `null` for one value. */
  readonly standardDeviation: number | null;
  /** The level of `confidenceInterval`. */
  readonly confidence: number;
  /** For the mean of the process, by Student's t; it supposes independent values. `null` for one value. */
  readonly confidenceInterval: readonly [lower: number, upper: number] | null;
  readonly min: number;
  readonly max: number;
  /** First quartile, median, third quartile; type 7. */
  readonly quartiles: readonly [q1: number, q2: number, q3: number];
  /** Median absolute deviation from the median, not scaled. */
  readonly medianAbsoluteDeviation: number;
  /** g1, the third standardised moment. `null` for fewer than 3 or equal values. */
  readonly skewness: number | null;
  /** g2, the fourth standardised moment less 3. `null` for fewer than 4 or equal values. */
  readonly kurtosis: number | null;
  /** Third quartile less the first. */
  readonly interquartileRange: number;
  /** Whether skewness and kurtosis are those of a normal distribution; `null` for fewer than 8 or equal values. */
  readonly normality: JarqueBera | null;
  /** Values far from the rest, by default with a modified z-score beyond 3.5. */
  readonly outliers: readonly Outlier[];
  /** How each figure was computed, for a reader of the result. */
  readonly method: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

const method: Statistics['method'] = Object.freeze({
  standardDeviation: 'sample (n - 1)',
  confidenceInterval: "Student's t with n - 1 degrees of freedom",
  quartiles: 'type 7 (Hyndman and Fan 1996)',
  skewness: 'g1, moments about the mean',
  kurtosis: 'g2, excess over the normal distribution',
  normality: 'Jarque and Bera 1987',
});

const outlierMethods: Readonly<Record<OutlierMethod, string>> = {
  mad: 'modified z-score beyond 3.5 (Iglewicz and Hoaglin 1993), measured again without those found',
  iqr: 'beyond 1.5 interquartile ranges from the quartiles (Tukey 1977)',
  esd: 'generalised ESD test at 5 % (Rosner 1983)',
};

/**
 * Describes a series: centre, spread, interval for the mean, shape and outliers.
 *
 * @throws ValidationError for an input that is not a series, or a confidence outside (0, 1).
 *
 * @example
 * const { mean, confidenceInterval, outliers } = analyzeStatistics([12, 15, 11, 14, 90]);
 */
export function analyzeStatistics(series: SeriesInput, options: StatisticsOptions = {}): Statistics {
  requireKnown('analyzeStatistics', options, ['confidence', 'outlierMethod', ...seriesOptionNames]);
  const { confidence = 0.95, outlierMethod = 'mad' } = options;
  requireOneOf('analyzeStatistics', 'outlierMethod', outlierMethod, ['mad', 'iqr', 'esd']);
  requireFraction('analyzeStatistics', 'confidence', confidence);
  const { values: input, notes: read } = readSeries(series, options);
  const { values, unit } = scaled(input);
  const n = input.length;
  const constant = isConstant(values);
  const mean = constant ? at(values, 0) : compensatedMean(values);
  const deviation = n < 2 ? null : constant ? 0 : compensatedDeviation(values, mean);
  const interval = deviation === null ? null : intervalOfMean(mean, deviation, n, confidence);
  const shape = constant ? { skewness: null, kurtosis: null } : shapeOf(values, mean);
  const ordered = sorted(input);
  const median = medianOfSorted(ordered);
  const standardDeviation = deviation === null ? null : finiteOrNull(deviation * unit);
  const confidenceInterval = interval && withinDouble(interval[0] * unit, interval[1] * unit);
  return {
    n,
    mean: mean * unit,
    median,
    standardDeviation,
    confidence,
    confidenceInterval,
    min: at(ordered, 0),
    max: at(ordered, n - 1),
    quartiles: [quantileOfSorted(ordered, 0.25), median, quantileOfSorted(ordered, 0.75)],
    interquartileRange: clampToDouble(quantileOfSorted(ordered, 0.75) - quantileOfSorted(ordered, 0.25)),
    medianAbsoluteDeviation: clampToDouble(absoluteDeviation(values) * unit),
    ...shape,
    normality: normalityOf(n, shape),
    outliers: findOutliers(values, outlierMethod).map((outlier) => ({ ...outlier, value: at(input, outlier.index) })),
    method: { ...method, outliers: outlierMethods[outlierMethod] },
    notes: [
      ...read,
      ...notesOn(n, constant, interval !== null && (standardDeviation === null || confidenceInterval === null)),
    ],
  };
}

function intervalOfMean(mean: number, deviation: number, n: number, confidence: number): [number, number] {
  const half = (studentT.quantile((1 + confidence) / 2, n - 1) * deviation) / Math.sqrt(n);
  return [mean - half, mean + half];
}

function withinDouble(lower: number, upper: number): [number, number] | null {
  return Number.isFinite(lower) && Number.isFinite(upper) ? [lower, upper] : null;
}

function shapeOf(values: readonly number[], mean: number): { skewness: number | null; kurtosis: number | null } {
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (const value of values) {
    const square = (value - mean) ** 2;
    second += square;
    third += square * (value - mean);
    fourth += square * square;
  }
  const n = values.length;
  const variance = second / n;
  return {
    skewness: n < 3 ? null : third / n / variance ** 1.5,
    kurtosis: n < 4 ? null : fourth / n / variance ** 2 - 3,
  };
}

const fewestForNormality = 8;

function normalityOf(n: number, { skewness, kurtosis }: Pick<Statistics, 'skewness' | 'kurtosis'>): JarqueBera | null {
  if (n < fewestForNormality || skewness === null || kurtosis === null) return null;
  const statistic = (n / 6) * (skewness ** 2 + kurtosis ** 2 / 4);
  return { statistic, p: Math.exp(-statistic / 2) };
}

function absoluteDeviation(values: readonly number[]): number {
  const median = medianOf(values);
  return medianOf(values.map((value) => Math.abs(value - median)));
}

function notesOn(n: number, constant: boolean, overflows: boolean): string[] {
  const notes: string[] = [];
  if (n === 1) notes.push('One value: its spread, interval and shape are unknown.');
  else if (constant) notes.push('All values are equal: the shape is undefined.');
  else if (n < 4) notes.push(`${n} values: the kurtosis needs 4${n < 3 ? ', the skewness 3' : ''}.`);
  if (overflows) notes.push('The spread or the interval is beyond the largest double.');
  return notes;
}
