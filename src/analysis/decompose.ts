import { ValidationError } from '../core/index.js';
import { readPeriod, requireKnown, requireOneOf, requireWhole } from './checks.js';
import { at, squaredDeviations } from './numeric.js';
import { readSeries, type SeriesInput, type SeriesOptions, seriesOptionNames } from './parse-series.js';
import { clampToDouble, inUnits, scaled } from './scale.js';
import { stl } from './stl.js';
import { takeApart } from './take-apart.js';
import { usablePeriod } from './usable-period.js';

/** Settings of {@link decompose}. */
export interface DecomposeOptions extends SeriesOptions {
  /** Length of the season in steps; 1 or `null` for none. @default found by detectPeriod */
  readonly period?: number | null;
  /** `multiplicative` decomposes the logarithms, for positive values. @default 'additive' */
  readonly model?: 'additive' | 'multiplicative';
  /** Seasons over which the season may change its form: an odd number from 7, or `periodic` for never. @default 'periodic' */
  readonly seasonWindow?: number | 'periodic';
  /** Steps over which the trend may bend, an odd number from 3. @default that of R's stl, about 1.5 to 2 seasons */
  readonly trendWindow?: number;
  /** Gives outlying values no weight. @default false */
  readonly robust?: boolean;
}

/** A series as trend, season and remainder: their sum, or their product in the multiplicative model. */
export interface Decomposition {
  readonly n: number;
  readonly method: string;
  readonly model: 'additive' | 'multiplicative';
  /** The season that was given or found. */
  readonly period: number | null;
  readonly trend: readonly number[];
  readonly season: readonly number[];
  readonly remainder: readonly number[];
  /** The series itself. */
  readonly values: readonly number[];
  /** Share of the variance beside the trend that the season explains, 0 to 1; `null` without a season. */
  readonly seasonalStrength: number | null;
  /** Share of the variance beside the season that the trend explains, 0 to 1. */
  readonly trendStrength: number;
  readonly notes: readonly string[];
}

/**
 * Takes a series apart by STL (R. B. Cleveland et al., Journal of Official Statistics 6 (1990) 3), to the
 * same numbers as R's `stl`. Strengths are those of Wang, Smith and Hyndman, Data Mining and Knowledge
 * Discovery 13 (2006) 335; in the multiplicative model they are of the logarithms. Without a season the
 * trend is a running median made smooth. Time grows in proportion to the length.
 *
 * @throws ValidationError for an input that is not a series, an option outside its range, or a
 * multiplicative model of values that are not positive.
 *
 * @example
 * const { trend, season, seasonalStrength } = decompose(monthly, { period: 12, model: 'multiplicative' });
 */
export function decompose(series: SeriesInput, options: DecomposeOptions = {}): Decomposition {
  requireKnown('decompose', options, optionNames);
  const { model = 'additive', seasonWindow = 'periodic', trendWindow, robust = false } = options;
  requireOneOf('decompose', 'model', model, ['additive', 'multiplicative']);
  if (seasonWindow !== 'periodic') requireWhole('decompose', 'seasonWindow', seasonWindow, 7);
  if (trendWindow !== undefined) requireWhole('decompose', 'trendWindow', trendWindow, 3);
  const given = readPeriod('decompose', options.period);
  const { values: input, notes: read } = readSeries(series, options);
  const { values, unit } = scaled(input);
  const times = model === 'multiplicative';
  if (times) requirePositive(values);
  const { period, notes } = usablePeriod(values, given);
  const worked = times ? values.map(Math.log) : values;
  const season = seasonWindow === 'periodic' ? seasonWindow : seasonWindow + 1 - (seasonWindow % 2);
  const windows = { season, rounds: robust ? 15 : 0, ...(trendWindow === undefined ? {} : { trend: trendWindow }) };
  const parts = period === null ? takeApart(worked, null) : stl(worked, period, windows);
  const back = (list: Float64Array, scale: number): number[] =>
    times ? Array.from(list, (value) => clampToDouble(Math.exp(value) * scale)) : inUnits(list, unit);
  return {
    n: input.length,
    method:
      period === null
        ? 'running median of 7, made smooth'
        : `STL (Cleveland et al. 1990), ${seasonWindow === 'periodic' ? 'periodic' : `season window ${season}`}${robust ? ', robust' : ''}`,
    model,
    period,
    trend: back(parts.trend, unit),
    season: back(parts.season, 1),
    remainder: back(parts.remainder, 1),
    values: input,
    seasonalStrength: period === null ? null : strength(parts.remainder, parts.season),
    trendStrength: strength(parts.remainder, parts.trend),
    notes: [...read, ...notes],
  };
}

const optionNames = ['period', 'model', 'seasonWindow', 'trendWindow', 'robust', ...seriesOptionNames] as const;

/** `1 - var(remainder) / var(remainder + part)`, not below 0. */
export function strength(remainder: Float64Array, part: Float64Array): number {
  const whole = squaredDeviations(remainder.map((value, t) => value + at(part, t)));
  return whole > 0 ? Math.max(0, 1 - squaredDeviations(remainder) / whole) : 0;
}

function requirePositive(values: readonly number[]): void {
  const first = values.findIndex((value) => value <= 0);
  if (first < 0) return;
  throw new ValidationError('decompose', [
    { path: ['model'], message: `expected positive values for the multiplicative model, item ${first + 1} is not` },
  ]);
}
