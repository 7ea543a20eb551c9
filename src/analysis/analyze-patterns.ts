import { type Anomaly, findAnomalies } from './anomalies.js';
import { autocorrelation } from './autocorrelation.js';
import { type ChangePoint, changePoint } from './change-point.js';
import { readPeriod, requireKnown } from './checks.js';
import { strength } from './decompose.js';
import { normal } from './distributions/normal.js';
import { frequencyTable } from './histogram.js';
import { mannKendall } from './mann-kendall.js';
import { at, isConstant } from './numeric.js';
import { readSeries, type SeriesInput, type SeriesOptions, seriesOptionNames } from './parse-series.js';
import { type RunsTest, runsTest } from './runs-test.js';
import { clampToDouble, scaled } from './scale.js';
import { type RobustParts, takeApartRobustly } from './take-apart.js';
import { usablePeriod } from './usable-period.js';

/** Settings of {@link analyzePatterns}. */
export interface PatternOptions extends SeriesOptions {
  /** Length of the season in steps; 1 or `null` for none. @default found by detectPeriod */
  readonly period?: number | null;
}

/** A finding with a name. More types may be added: ignore those you do not know. */
export type Pattern =
  | { readonly type: 'constant' }
  | {
      readonly type: 'trend';
      readonly direction: 'increasing' | 'decreasing';
      readonly tau: number;
      readonly p: number;
    }
  | {
      readonly type: 'seasonality';
      readonly period: number;
      readonly strength: number;
      readonly model: 'additive' | 'multiplicative';
    }
  /** Neighbours on the same side of the median (`clustered`) or on opposite sides (`alternating`) beyond chance. */
  | ({ readonly type: 'runs'; readonly direction: 'clustered' | 'alternating' } & RunsTest);

/** What {@link analyzePatterns} found. Nothing is ever `NaN` or infinite. */
export interface Patterns {
  readonly n: number;
  readonly patterns: readonly Pattern[];
  /** How many values fall on each value, or in each bin where more than 12 differ. */
  readonly frequency: Readonly<Record<string, number>>;
  /** Values far from their trend and season; looked for from 8 values on. */
  readonly anomalies: readonly Anomaly[];
  /** Autocorrelations outside the 95 % band of white noise, at lags from 1. */
  readonly correlations: readonly { readonly lag: number; readonly value: number }[];
  /** Autocorrelation by lag: index 0 is lag 0, which is 1. Empty for equal values. */
  readonly autocorrelation: readonly number[];
  /** The season that was given or found. */
  readonly period: number | null;
  /** Where the level is most likely to have changed, whether or not it did: see its p. `null` for few or equal values. */
  readonly changePoint: ChangePoint | null;
  /** How each figure was computed, for a reader of the result. */
  readonly method: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

const method: Patterns['method'] = Object.freeze({
  frequency: 'counts of up to 12 distinct values, else bins (Freedman and Diaconis 1981)',
  anomalies:
    'seasonal-hybrid ESD (Hochenbaum, Vallis and Kejariwal 2017), confirmed at 5 % by deleted residuals (Cook and Weisberg 1982)',
  correlations: 'autocorrelation with divisor n, beyond 1.96/sqrt(n)',
  period: 'F test of phase means on candidates from the autocorrelation, prewhitened; then Schwarz',
  changePoint: 'Pettitt 1979',
  runs: 'runs about the median (Wald and Wolfowitz 1940)',
});

const alpha = 0.05;
const fewestForAnomalies = 8;

/**
 * Looks for structure in a series: season, trend, runs, anomalies, autocorrelation and the frequency of
 * its values. Anomalies are judged with trend and season taken out.
 *
 * @throws ValidationError for an input that is not a series, or a period that cannot be one.
 *
 * @example
 * const { patterns, anomalies } = analyzePatterns(daily, { period: 7 });
 */
export function analyzePatterns(series: SeriesInput, options: PatternOptions = {}): Patterns {
  requireKnown('analyzePatterns', options, ['period', ...seriesOptionNames]);
  const given = readPeriod('analyzePatterns', options.period);
  const { values: input, notes: read } = readSeries(series, options);
  const { values, unit } = scaled(input);
  const n = values.length;
  const { period, notes } = usablePeriod(values, given);
  const parts = takeApartRobustly(values, period);
  const lags = autocorrelation(values, Math.max(24, Math.floor(10 * Math.log10(n)), 2 * (period ?? 0)));
  const band = normal.quantile(1 - alpha / 2) / Math.sqrt(n);
  const anomalies = n < fewestForAnomalies ? [] : findAnomalies(values, period, parts);
  return {
    n,
    patterns: findPatterns(values, period, parts),
    frequency: frequencyTable(input),
    anomalies: anomalies.map(({ index, expected, score }) => ({
      index,
      value: at(input, index),
      expected: clampToDouble(expected * unit),
      score,
    })),
    correlations: lags
      .map((value, lag) => ({ lag, value }))
      .filter(({ lag, value }) => lag > 0 && Math.abs(value) > band),
    autocorrelation: lags,
    period,
    changePoint: changePoint(input),
    method,
    notes: [...read, ...notes, ...notesOn(values)],
  };
}

function findPatterns(values: readonly number[], period: number | null, parts: RobustParts): Pattern[] {
  if (values.length > 1 && isConstant(values)) return [{ type: 'constant' }];
  const patterns: Pattern[] = [];
  const { S, tau, p } = mannKendall(values);
  if (p < alpha) patterns.push({ type: 'trend', direction: S > 0 ? 'increasing' : 'decreasing', tau, p });
  if (period !== null) {
    const { model, remainder, season } = parts;
    patterns.push({ type: 'seasonality', period, strength: strength(remainder, season), model });
  }
  const runs = runsTest(values);
  if (runs && runs.p < alpha) {
    patterns.push({ type: 'runs', direction: runs.z < 0 ? 'clustered' : 'alternating', ...runs });
  }
  return patterns;
}

function notesOn(values: readonly number[]): string[] {
  const notes: string[] = [];
  if (values.length < fewestForAnomalies) {
    notes.push(`${values.length === 1 ? '1 value' : `${values.length} values`}: anomalies need ${fewestForAnomalies}.`);
  }
  if (isConstant(values)) notes.push('All values are equal: the autocorrelation is undefined.');
  return notes;
}
