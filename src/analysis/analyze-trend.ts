import { readPeriod, requireFraction, requireWhole } from './checks.js';
import { decompose } from './decompose.js';
import { forecast } from './forecast/forecast.js';
import { linearTrend } from './linear-trend.js';
import { type MannKendall, mannKendall } from './mann-kendall.js';
import { parseSeries, type SeriesInput } from './parse-series.js';
import { clampToDouble, scaled } from './scale.js';
import { type SenSlope, senSlope } from './sen-slope.js';
import { usablePeriod } from './usable-period.js';

/** Settings of {@link analyzeTrend}. */
export interface TrendOptions {
  /** Significance level of the trend test; the interval of Sen's slope has level 1 - alpha. @default 0.05 */
  readonly alpha?: number;
  /** Length of the season in steps; 1 or `null` for none. @default found by detectPeriod */
  readonly period?: number | null;
  /** Steps in `forecast`, 1 to 10,000. @default one season, 5 without a season */
  readonly horizon?: number;
}

/** A repetition in a series. */
export interface Seasonality {
  /** Steps until it repeats. */
  readonly period: number;
  /** Share of the variance beside the trend that it explains, 0 to 1. */
  readonly strength: number;
}

/** What {@link analyzeTrend} found. Nothing is ever `NaN` or infinite. */
export interface Trend {
  readonly n: number;
  /** `stable` where the Mann-Kendall test finds no trend. */
  readonly trend: 'increasing' | 'decreasing' | 'stable';
  /** Least-squares change per step; 0 for one value. */
  readonly slope: number;
  /** Least-squares height at the first value. */
  readonly intercept: number;
  /** Pearson's correlation with time. */
  readonly correlation: number;
  /** Share of the variance that the least-squares line explains. */
  readonly r2: number;
  /** Robust change per step with its interval; `null` for one value. */
  readonly senSlope: SenSlope | null;
  readonly mannKendall: MannKendall;
  readonly seasonality: Seasonality | null;
  /** The next values, as by {@link forecast} without its intervals. */
  readonly forecast: readonly number[];
  readonly notes: readonly string[];
}

/** Below this the normal approximation of the Mann-Kendall test is rough (Kendall 1975). */
const roughBelow = 10;
const plainHorizon = 5;

/**
 * Asks whether a series rises or falls, how fast, and where it goes next. The test supposes independent
 * values: autocorrelation makes it find trends too readily.
 *
 * @throws ValidationError for an input that is not a series, or an option outside its range.
 *
 * @example
 * const { trend, slope, mannKendall } = analyzeTrend(sales, { period: 12 });
 */
export function analyzeTrend(series: SeriesInput, options: TrendOptions = {}): Trend {
  const { alpha = 0.05 } = options;
  requireFraction('analyzeTrend', 'alpha', alpha);
  const given = readPeriod('analyzeTrend', options.period);
  if (options.horizon !== undefined) requireWhole('analyzeTrend', 'horizon', options.horizon, 1, 10_000);
  const input = parseSeries(series);
  const { values, unit } = scaled(input);
  const { period, notes } = usablePeriod(values, given);
  const line = linearTrend(values);
  const test = mannKendall(values);
  const sen = values.length < 2 ? null : inUnit(senSlope(values, test.varS, 1 - alpha), unit);
  return {
    n: input.length,
    trend: test.p >= alpha ? 'stable' : test.S > 0 ? 'increasing' : 'decreasing',
    slope: clampToDouble(line.slope * unit),
    intercept: clampToDouble(line.intercept * unit),
    correlation: line.r,
    r2: line.r2,
    senSlope: sen,
    mannKendall: test,
    seasonality: period === null ? null : { period, strength: decompose(values, period).seasonalStrength },
    forecast: forecast(input, { horizon: options.horizon ?? period ?? plainHorizon, period }).mean,
    notes: [...notes, ...notesOn(input.length, sen)],
  };
}

function inUnit(sen: SenSlope, unit: number): SenSlope {
  const scale = (value: number): number => clampToDouble(value * unit);
  return { ...sen, slope: scale(sen.slope), lower: scale(sen.lower), upper: scale(sen.upper) };
}

function notesOn(n: number, sen: SenSlope | null): string[] {
  const notes: string[] = [];
  if (n === 1) notes.push('One value: there is no trend to speak of.');
  else if (n < roughBelow) notes.push(`${n} values: the trend test is rough below ${roughBelow}.`);
  if (sen && !sen.exact)
    notes.push("Sen's slope comes from a million of all pairs; its interval is widened accordingly.");
  return notes;
}
