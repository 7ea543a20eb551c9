import { readPeriod, requireFraction, requireKnown, requireOneOf, requireWhole } from './checks.js';
import { strength } from './decompose.js';
import { forecast } from './forecast/forecast.js';
import { type HamedRao, hamedRao } from './hamed-rao.js';
import { linearTrend } from './linear-trend.js';
import { type MannKendall, mannKendall } from './mann-kendall.js';
import { readSeries, type SeriesInput, type SeriesOptions, seriesOptionNames } from './parse-series.js';
import { clampToDouble, scaled } from './scale.js';
import { seasonalTest } from './seasonal-test.js';
import { type SenSlope, senSlope } from './sen-slope.js';
import { stl } from './stl.js';
import { usablePeriod } from './usable-period.js';

/** Settings of {@link analyzeTrend}. */
export interface TrendOptions extends SeriesOptions {
  /** Significance level of the trend test; the interval of Sen's slope has level 1 - alpha. @default 0.05 */
  readonly alpha?: number;
  /** Length of the season in steps; 1 or `null` for none. @default found by detectPeriod */
  readonly period?: number | null;
  /** Steps in `forecast`, 1 to 10,000. @default one season, 5 without a season */
  readonly horizon?: number;
  /**
   * Which test says whether there is a trend: `hamed-rao` allows for values that are like their neighbours,
   * where the plain test finds trends too readily (and this one, less often, still). @default 'mann-kendall'
   */
  readonly test?: 'mann-kendall' | 'hamed-rao';
}

/** A repetition in a series. */
export interface Seasonality {
  /** Steps until it repeats. */
  readonly period: number;
  /** Share of the variance beside the trend that it explains, 0 to 1. */
  readonly strength: number;
  /** Share of the variance beside the season that the trend explains, 0 to 1. */
  readonly trendStrength: number;
  /** Chance of phase means so different without a season: F test after second-order prewhitening. */
  readonly p: number;
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
  /** The test with the variance that autocorrelated values have; `null` for fewer than 10 values. */
  readonly hamedRao: HamedRao | null;
  readonly seasonality: Seasonality | null;
  /** The next values, as by {@link forecast} without its intervals. */
  readonly forecast: readonly number[];
  /** How each figure was computed, for a reader of the result. */
  readonly method: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

const method: Trend['method'] = Object.freeze({
  trend: 'Mann-Kendall test, two-sided, ties allowed for (Mann 1945, Kendall 1975)',
  hamedRao: 'variance for autocorrelated values (Hamed and Rao 1998)',
  senSlope: 'median of the slopes of all pairs (Sen 1968), interval by Gilbert 1987',
  slope: 'ordinary least squares',
  seasonality: 'periodic STL (Cleveland et al. 1990), strengths of Wang, Smith and Hyndman 2006',
  forecast: 'trimmed mean of ETS, Theta, ARIMA and damped trend, or a benchmark for few values',
});

const optionNames = ['alpha', 'period', 'horizon', 'test', ...seriesOptionNames] as const;
/** Below this the normal approximation of the Mann-Kendall test is rough (Kendall 1975). */
const roughBelow = 10;
const plainHorizon = 5;

/**
 * Asks whether a series rises or falls, how fast, and where it goes next. The test supposes independent
 * values: autocorrelation makes it find trends too readily; `hamedRao` allows for it.
 *
 * @throws ValidationError for an input that is not a series, or an option outside its range.
 *
 * @example
 * const { trend, slope, mannKendall } = analyzeTrend(sales, { period: 12 });
 */
export function analyzeTrend(series: SeriesInput, options: TrendOptions = {}): Trend {
  requireKnown('analyzeTrend', options, optionNames);
  const { alpha = 0.05, test: wanted = 'mann-kendall' } = options;
  requireOneOf('analyzeTrend', 'test', wanted, ['mann-kendall', 'hamed-rao']);
  requireFraction('analyzeTrend', 'alpha', alpha);
  const given = readPeriod('analyzeTrend', options.period);
  if (options.horizon !== undefined) requireWhole('analyzeTrend', 'horizon', options.horizon, 1, 10_000);
  const { values: input, notes: read } = readSeries(series, options);
  const { values, unit } = scaled(input);
  const { period, notes } = usablePeriod(values, given);
  const line = linearTrend(values);
  const test = mannKendall(values);
  const sen = values.length < 2 ? null : inUnit(senSlope(values, test.varS, 1 - alpha), unit);
  const adjusted = values.length < roughBelow || !sen ? null : hamedRao(values, test, sen.slope / unit);
  const p = wanted === 'hamed-rao' && adjusted ? adjusted.p : test.p;
  return {
    n: input.length,
    trend: p >= alpha ? 'stable' : test.S > 0 ? 'increasing' : 'decreasing',
    slope: clampToDouble(line.slope * unit),
    intercept: clampToDouble(line.intercept * unit),
    correlation: line.r,
    r2: line.r2,
    senSlope: sen,
    mannKendall: test,
    hamedRao: adjusted,
    seasonality: period === null ? null : seasonalityOf(values, period),
    forecast: forecast(input, { horizon: options.horizon ?? period ?? plainHorizon, period }).mean,
    method,
    notes: [
      ...read,
      ...notes,
      ...notesOn(input.length, sen),
      ...(wanted === 'mann-kendall' && adjusted && adjusted.p >= alpha && test.p < alpha ? [likeNeighbours] : []),
    ],
  };
}

const likeNeighbours =
  'Values are like their neighbours: allowing for that (hamedRao), the trend is not beyond chance.';

function seasonalityOf(values: readonly number[], period: number): Seasonality {
  const { trend, season, remainder } = stl(values, period, { season: 'periodic', rounds: 0 });
  return {
    period,
    strength: strength(remainder, season),
    trendStrength: strength(remainder, trend),
    p: values.length < 3 * period ? 1 : Math.exp(seasonalTest(values, period).logP),
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
