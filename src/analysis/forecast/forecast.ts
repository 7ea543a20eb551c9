import { readPeriod, requireFraction, requireWhole } from '../checks.js';
import { findPeriod } from '../detect-period.js';
import { normal } from '../distributions/normal.js';
import { at, isConstant } from '../numeric.js';
import { parseSeries, type SeriesInput } from '../parse-series.js';
import { inUnits, scaled } from '../scale.js';
import { chooseForecaster } from './choose.js';
import type { ForecastMethod } from './method.js';

/** Settings of {@link forecast}. */
export interface ForecastOptions {
  /** How many steps ahead, 1 to 10,000. */
  readonly horizon: number;
  /** Length of the season in steps; 1 or `null` for none. @default found by detectPeriod */
  readonly period?: number | null;
  /** Level of the prediction intervals, strictly between 0 and 1. @default 0.95 */
  readonly level?: number;
}

/** The next values of a series; index 0 is the step after the last value. All numbers are finite. */
export interface Forecast {
  readonly mean: readonly number[];
  /** Lower ends of the prediction intervals; `null` where too few values tell the size of errors. */
  readonly lower: readonly number[] | null;
  readonly upper: readonly number[] | null;
  readonly method: ForecastMethod;
  /** The season that was given or found, whether or not the method uses it. */
  readonly period: number | null;
  /** Level of the prediction intervals. */
  readonly level: number;
  /** Length of the series. */
  readonly n: number;
  readonly notes: readonly string[];
}

/** The latest values that are fitted, or 20 seasons if that is more; older ones say little of the next. */
const mostValues = 2_000;
const mostSeasons = 20;

/**
 * Forecasts a series by the best of ten methods, from naive to Holt-Winters, judged on how well each
 * would have forecast the latest part of the series itself. The intervals suppose normal errors, and
 * rates that are known: they tend to be a little narrow. Multiplicative methods take part only for
 * positive values. Fits the latest 2,000 values or 20 seasons.
 *
 * @throws ValidationError for an input that is not a series, or an option outside its range.
 *
 * @example
 * const { mean, lower, upper, method } = forecast(monthly, { horizon: 12, period: 12 });
 */
export function forecast(values: SeriesInput, { horizon, period, level = 0.95 }: ForecastOptions): Forecast {
  requireWhole('forecast', 'horizon', horizon, 1, 10_000);
  const given = readPeriod('forecast', period);
  requireFraction('forecast', 'level', level);
  const series = parseSeries(values);
  const { values: all, unit } = scaled(series);
  const season = given === undefined ? findPeriod(all) : given;
  const recent = all.slice(-Math.max(mostValues, mostSeasons * (season ?? 0)));
  const fitted = chooseForecaster(recent, season, horizon);
  const prediction = fitted.predict(horizon);
  const z = normal.quantile((1 + level) / 2);
  const bound = (sign: 1 | -1): number[] | null =>
    prediction.deviation &&
    inUnits(
      prediction.mean.map((mean, i) => mean + sign * z * at(prediction.deviation ?? [], i)),
      unit,
    );
  return {
    mean: inUnits(prediction.mean, unit),
    lower: bound(-1),
    upper: bound(1),
    method: fitted.method,
    period: season,
    level,
    n: series.length,
    notes: notesOn(series, recent.length, season, prediction.deviation !== null),
  };
}

function notesOn(series: readonly number[], used: number, period: number | null, intervals: boolean): string[] {
  const n = series.length;
  const notes: string[] = [];
  if (n < 4)
    notes.push(`${n === 1 ? 'One value is' : `${n} values are`} too few to compare methods: the last one is repeated.`);
  if (!intervals) notes.push('Too few values to tell the size of errors: there are no intervals.');
  if (n > 1 && isConstant(series))
    notes.push('All values are equal: no errors were seen and the intervals have no width.');
  if (period !== null && n < 2 * period) notes.push(`Seasonal smoothing needs two periods, ${2 * period} values.`);
  if (used < n) notes.push(`Fitted on the latest ${used} values.`);
  return notes;
}
