import { at, plainMean, squaredDeviations } from '../numeric.js';
import type { FittedForecaster, Forecaster, ForecastMethod } from './method.js';

/**
 * The last value goes on: possible for any series. The benchmark methods and their standard errors are
 * those of Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., sections 5.2 and 5.5.
 * A standard error needs at least 2 residuals.
 */
export function naive(values: readonly number[]): FittedForecaster {
  return repeatLast('naive', values, 1);
}

/** Each step is as it was one period ago; for values of at least one period. */
export function seasonalNaive(values: readonly number[], period: number | null): FittedForecaster | undefined {
  return period === null || values.length < period ? undefined : repeatLast('seasonal-naive', values, period);
}

/** The error grows with every period gone by. */
function repeatLast(method: ForecastMethod, values: readonly number[], period: number): FittedForecaster {
  const n = values.length;
  let squares = 0;
  for (let i = period; i < n; i++) squares += (at(values, i) - at(values, i - period)) ** 2;
  const sigma = n - period < 2 ? null : Math.sqrt(squares / (n - period));
  return {
    method,
    models: [method],
    predict: (horizon) => ({
      mean: steps(horizon, (h) => at(values, n - period + ((h - 1) % period))),
      deviation: sigma === null ? null : steps(horizon, (h) => sigma * Math.sqrt(Math.ceil(h / period))),
    }),
  };
}

/** The mean of all values goes on. */
export function meanForecast(values: readonly number[]): FittedForecaster | undefined {
  const n = values.length;
  if (n < 3) return undefined;
  const mean = plainMean(values);
  const sigma = Math.sqrt(squaredDeviations(values) / (n - 1));
  return {
    method: 'mean',
    models: ['mean'],
    predict: (horizon) => ({
      mean: steps(horizon, () => mean),
      deviation: steps(horizon, () => sigma * Math.sqrt(1 + 1 / n)),
    }),
  };
}

/** The line from the first to the last value goes on. */
export function drift(values: readonly number[]): FittedForecaster | undefined {
  const n = values.length;
  if (n < 3) return undefined;
  const last = at(values, n - 1);
  const slope = (last - at(values, 0)) / (n - 1);
  let squares = 0;
  for (let i = 1; i < n; i++) squares += (at(values, i) - at(values, i - 1) - slope) ** 2;
  const sigma = Math.sqrt(squares / (n - 2));
  return {
    method: 'drift',
    models: ['drift'],
    predict: (horizon) => ({
      mean: steps(horizon, (h) => last + slope * h),
      deviation: steps(horizon, (h) => sigma * Math.sqrt(h * (1 + h / (n - 1)))),
    }),
  };
}

/** The simplest first. */
export const benchmarks: readonly Forecaster[] = [naive, meanForecast, drift, seasonalNaive];

function steps(horizon: number, valueAt: (h: number) => number): number[] {
  return Array.from({ length: horizon }, (_, i) => valueAt(i + 1));
}
