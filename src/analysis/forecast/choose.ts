import { at } from '../numeric.js';
import { benchmarks, naive } from './benchmarks.js';
import type { FittedForecaster, Forecaster } from './method.js';
import { smoothers } from './smoothing.js';

/** The simplest first. */
const forecasters: readonly Forecaster[] = [...benchmarks, ...smoothers];
const mostOrigins = 3;
/** Fewest values that can be divided into a past and a test. */
const fewestValues = 4;
/** A method further down the list must be better by this share: luck alone often gives less. */
const margin = 0.01;

/**
 * Picks the method with the smallest mean absolute error over up to three rolling origins: each fits on
 * the values before it and is judged on the next `horizon` (Tashman, International Journal of
 * Forecasting 16 (2000) 437). Origins lie in the second half of the series. Methods that cannot be
 * fitted at every origin do not take part. Naive where there is nothing to compare on.
 */
export function chooseForecaster(values: readonly number[], period: number | null, horizon: number): FittedForecaster {
  const n = values.length;
  if (n < fewestValues) return naive(values);
  const span = Math.max(1, Math.min(horizon, Math.floor(n / 4)));
  const origins = Array.from({ length: mostOrigins }, (_, k) => n - (k + 1) * span).filter((origin) => origin >= n / 2);
  let best: Forecaster = naive;
  let smallest = Number.POSITIVE_INFINITY;
  for (const forecaster of forecasters) {
    const error = rollingError(forecaster, values, period, origins, span);
    if (error < smallest * (1 - margin)) {
      best = forecaster;
      smallest = error;
    }
  }
  return best(values, period) ?? naive(values);
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
