import { ValidationError } from '../../core/index.js';
import type { Forecast } from '../forecast/forecast.js';
import { at } from '../numeric.js';
import { parseSeries } from '../parse-series.js';
import { extendTimes } from './extend-times.js';
import { printable } from './printable.js';

/** What a chart shows: a series, and what may come after it. */
export interface ChartInput {
  readonly values: readonly number[];
  /** A label for each value, best in ISO 8601 (`1949-01`, `2024-02-29`, `2024-02-29T13:00`). */
  readonly times?: readonly string[] | undefined;
  /** The answer of {@link forecast} for these values. */
  readonly forecast?: Pick<Forecast, 'mean' | 'lower' | 'upper' | 'level' | 'method'> | undefined;
  readonly title?: string | undefined;
}

/** A checked chart, its texts made printable: positions 0 to n - 1 are observed, those after them forecast. */
export interface Plot {
  readonly values: readonly number[];
  readonly mean: readonly number[];
  readonly lower: readonly number[] | null;
  readonly upper: readonly number[] | null;
  readonly level: number;
  readonly method: string;
  /** One for each position; `null` for a series without times. */
  readonly times: readonly string[] | null;
  readonly title: string;
  /** Extremes of all that is drawn. */
  readonly low: number;
  readonly high: number;
}

/** @throws ValidationError when there is nothing to draw, or the lists do not fit each other. */
export function readPlot({ values, times, forecast, title }: ChartInput): Plot {
  const observed = parseSeries(values);
  const mean = forecast?.mean ?? [];
  const lower = forecast?.lower ?? null;
  const upper = forecast?.upper ?? null;
  requireLength('times', times, observed.length);
  requireLength('forecast.lower', lower, mean.length);
  requireLength('forecast.upper', upper, mean.length);
  const drawn = [observed, mean, lower ?? [], upper ?? []];
  const [low, high] = extent(drawn);
  const labels = times?.map(printable) ?? null;
  return {
    values: observed,
    mean,
    lower,
    upper,
    level: forecast?.level ?? 0,
    method: printable(forecast?.method ?? ''),
    times: labels && [...labels, ...extendTimes(labels, mean.length)],
    title: printable(title ?? ''),
    low,
    high,
  };
}

/** Refuses a size that leaves no room to draw. */
export function requireSize(subject: string, field: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least && value <= 20_000) return;
  throw new ValidationError(subject, [{ path: [field], message: `expected a number from ${least} to 20000` }]);
}

/** Refuses a list that has not one entry for each of so many. */
export function requireLength(field: string, list: readonly unknown[] | null | undefined, length: number): void {
  if (!list || list.length === length) return;
  throw new ValidationError('chart', [
    { path: field.split('.'), message: `expected ${length} entries, found ${list.length}` },
  ]);
}

function extent(lists: readonly (readonly number[])[]): [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      low = Math.min(low, at(list, i));
      high = Math.max(high, at(list, i));
    }
  }
  return [low, high];
}
