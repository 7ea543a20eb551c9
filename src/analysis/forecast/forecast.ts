import { ValidationError } from '../../core/index.js';
import { readPeriod, requireFraction, requireKnown, requireWhole } from '../checks.js';
import { findPeriod } from '../detect-period.js';
import { normal } from '../distributions/normal.js';
import { at, isConstant, largestMagnitude } from '../numeric.js';
import { readSeries, type SeriesInput, type SeriesOptions, seriesOptionNames } from '../parse-series.js';
import { inUnits, scaled } from '../scale.js';
import { naive } from './benchmarks.js';
import { chooseForecaster, forecasters } from './choose.js';
import type { FittedForecaster, ForecastMethod } from './method.js';

/** Settings of {@link forecast}. */
export interface ForecastOptions extends SeriesOptions {
  /** How many steps ahead, 1 to 10,000. */
  readonly horizon: number;
  /** Length of the season in steps; 1 or `null` for none. @default found by detectPeriod */
  readonly period?: number | null;
  /** Level of the prediction intervals, strictly between 0 and 1. @default 0.95 */
  readonly level?: number;
  /** The way of forecasting. @default 'combination', or a benchmark for few or exactly repeating values */
  readonly method?: ForecastMethod;
  /** No forecast and no end of an interval lies below this, for values that cannot. @default none */
  readonly minimum?: number;
  /** No forecast and no end of an interval lies above this. @default none */
  readonly maximum?: number;
}

/** The next values of a series; index 0 is the step after the last value. All numbers are finite. */
export interface Forecast {
  readonly mean: readonly number[];
  /** Lower ends of the prediction intervals; `null` where too few values tell the size of errors. */
  readonly lower: readonly number[] | null;
  readonly upper: readonly number[] | null;
  readonly method: ForecastMethod;
  /** The models behind the forecast as they were fitted, like `ETS(M,Ad,M)`. */
  readonly models: readonly string[];
  /** The season that was given or found, whether or not the method uses it. */
  readonly period: number | null;
  /** Level of the prediction intervals. */
  readonly level: number;
  /** Length of the series. */
  readonly n: number;
  readonly notes: readonly string[];
}

const optionNames = ['horizon', 'period', 'level', 'method', 'minimum', 'maximum', ...seriesOptionNames] as const;
/** The latest values that are fitted, or 10 seasons if that is more; older ones say little of the next. */
const mostValues = 1_000;
const mostSeasons = 10;
/** Deviations below this share of the values are rounding. */
const roundingShare = 1e-12;

/**
 * Forecasts a series by the trimmed mean of four kinds of models: exponential smoothing (ETS, chosen by
 * AICc among up to 15 forms), the dynamic optimised Theta model, ARIMA and a damped trend, the last three
 * of positive values also on their logarithms; or by one method named. Few values, and series that a
 * benchmark repeats exactly, are left to the benchmarks: naive, mean, drift and seasonal naive. Intervals
 * suppose normal errors; those of the combination are widened to hold what they say. Fits the latest
 * 1,000 values or 10 seasons.
 *
 * @throws ValidationError for an input that is not a series, or an option outside its range.
 *
 * @example
 * const { mean, lower, upper, models } = forecast(monthly, { horizon: 12, period: 12 });
 */
export function forecast(values: SeriesInput, options: ForecastOptions): Forecast {
  requireKnown('forecast', options, optionNames);
  const { horizon, level = 0.95, method, minimum, maximum } = options;
  requireWhole('forecast', 'horizon', horizon, 1, 10_000);
  const given = readPeriod('forecast', options.period);
  requireFraction('forecast', 'level', level);
  requireBounds(minimum, maximum);
  if (method !== undefined && !Object.hasOwn(forecasters, method)) {
    const known = Object.keys(forecasters).join(', ');
    throw new ValidationError('forecast', [{ path: ['method'], message: `expected one of ${known}` }]);
  }
  const { values: series, notes: read } = readSeries(values, options);
  const { values: all, unit } = scaled(series);
  const season = given === undefined ? findPeriod(all) : given;
  const recent = all.slice(-Math.max(mostValues, mostSeasons * (season ?? 0)));
  const wanted = method && forecasters[method](recent, season);
  const fitted = wanted ?? (method ? naive(recent) : chooseForecaster(recent, season, horizon));
  const prediction = fitted.predict(horizon);
  const z = normal.quantile((1 + level) / 2);
  const bounded = (list: readonly number[]): number[] =>
    inUnits(list, unit).map((value) => Math.max(minimum ?? value, Math.min(maximum ?? value, value)));
  const bound = (sign: 1 | -1): number[] | null =>
    prediction.deviation &&
    bounded(prediction.mean.map((mean, i) => mean + sign * z * at(prediction.deviation ?? [], i)));
  return {
    mean: bounded(prediction.mean),
    lower: bound(-1),
    upper: bound(1),
    method: fitted.method,
    models: fitted.models,
    period: season,
    level,
    n: series.length,
    notes: [
      ...read,
      ...(method && !wanted ? [`Too few values, or not of the kind, for ${method}: the last one is repeated.`] : []),
      ...notesOn(series, recent.length, season, prediction.deviation && widthOf(prediction.deviation, recent), fitted),
    ],
  };
}

/** The first deviation, 0 where it is rounding. */
function widthOf(deviation: readonly number[], values: readonly number[]): number {
  const first = at(deviation, 0);
  return first <= roundingShare * largestMagnitude(values) ? 0 : first;
}

function requireBounds(minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY): void {
  if (minimum <= maximum) return;
  throw new ValidationError('forecast', [{ path: ['minimum'], message: 'expected a number not above maximum' }]);
}

function notesOn(
  series: readonly number[],
  used: number,
  period: number | null,
  width: number | null,
  { method }: FittedForecaster,
): string[] {
  const n = series.length;
  const notes: string[] = [];
  if (n < 4)
    notes.push(`${n === 1 ? 'One value is' : `${n} values are`} too few to compare methods: the last one is repeated.`);
  if (width === null) notes.push('Too few values to tell the size of errors: there are no intervals.');
  if (n > 1 && width === 0) {
    const why = isConstant(series)
      ? 'All values are equal'
      : `No residual variation was seen (${method} repeats the series exactly)`;
    notes.push(`${why}: the intervals have no width.`);
  }
  if (period !== null && n < 2 * period)
    notes.push(`A season of ${period} steps needs ${2 * period} values to be modelled, there are ${n}.`);
  if (used < n && method !== 'naive') notes.push(`Fitted on the latest ${used} values.`);
  return notes;
}
