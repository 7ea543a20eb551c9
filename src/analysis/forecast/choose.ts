import { at } from '../numeric.js';
import { benchmarks, drift, meanForecast, naive, seasonalNaive } from './benchmarks.js';
import { arima, combination, dampedTrend, ets, theta } from './combination.js';
import type { FittedForecaster, Forecaster, ForecastMethod } from './method.js';

/** Every method by its name. */
export const forecasters: Readonly<Record<ForecastMethod, Forecaster>> = {
  naive,
  mean: meanForecast,
  drift,
  'seasonal-naive': seasonalNaive,
  ets,
  theta,
  arima,
  'damped-trend': dampedTrend,
  combination,
};

const mostOrigins = 3;
/** Fewest values that can be divided into a past and a test. */
const fewestToCompare = 4;
/** Fewest values on which the models of the combination can be told from the benchmarks. */
const fewestToCombine = 8;
/** A method further down the list must be better by this share: luck alone often gives less. */
const margin = 0.01;
/** Errors below this share of the values are rounding. */
const roundingShare = 1e-12;

/**
 * The combination from 8 values on, unless one of the benchmarks repeats the series exactly: then nothing
 * remains to be modelled. With fewer values, the benchmark with the smallest mean absolute error over up
 * to three rolling origins (Tashman, International Journal of Forecasting 16 (2000) 437); naive where there
 * is nothing to compare on.
 */
export function chooseForecaster(values: readonly number[], period: number | null, horizon: number): FittedForecaster {
  const n = values.length;
  if (n < fewestToCompare) return naive(values);
  const exact = exactBenchmark(values, period);
  if (exact) return exact;
  if (n >= fewestToCombine) return combination(values, period) ?? naive(values);
  const span = Math.max(1, Math.min(horizon, Math.floor(n / 4)));
  const origins = Array.from({ length: mostOrigins }, (_, k) => n - (k + 1) * span).filter((origin) => origin >= n / 2);
  let best: Forecaster = naive;
  let smallest = Number.POSITIVE_INFINITY;
  for (const benchmark of benchmarks) {
    const error = rollingError(benchmark, values, period, origins, span);
    if (error < smallest * (1 - margin)) {
      best = benchmark;
      smallest = error;
    }
  }
  return best(values, period) ?? naive(values);
}

function exactBenchmark(values: readonly number[], period: number | null): FittedForecaster | undefined {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const benchmark of [naive, drift, seasonalNaive]) {
    const fitted = benchmark(values, period);
    const error = fitted?.predict(1).deviation?.[0];
    if (fitted && error !== undefined && error <= roundingShare * largest) return fitted;
  }
  return undefined;
}

/** Sum of the absolute errors; infinite for a method that cannot be fitted at some origin. */
function rollingError(
  forecaster: Forecaster,
  values: readonly number[],
  period: number | null,
  origins: readonly number[],
  span: number,
): number {
  let error = 0;
  for (const origin of origins) {
    const fitted = forecaster(values.slice(0, origin), period);
    if (!fitted) return Number.POSITIVE_INFINITY;
    for (const [i, mean] of fitted.predict(span).mean.entries()) error += Math.abs(at(values, origin + i) - mean);
  }
  return error;
}
