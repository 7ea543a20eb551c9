import { at } from '../numeric.js';
import type { SmoothingRates, SmoothingShape } from './smoothing-state.js';

/**
 * Variance of the forecast error at the steps 1, 2, ... of an exponential smoothing model. Additive:
 * the exact formula of Hyndman, Koehler, Ord and Snyder, Forecasting with Exponential Smoothing, 2008,
 * table 6.1. Multiplicative: each relative error in between moves the value by its own factor, whose
 * variance is taken to the first order; the factors are independent. The rates count as known.
 *
 * @param sigma2 Variance of the one-step error, relative in the multiplicative case.
 * @param bases Level and trend at each step.
 * @param seasons The seasonal component at each step.
 */
export function predictionVariance(
  { season, period }: SmoothingShape,
  { alpha, beta, gamma }: SmoothingRates,
  sigma2: number,
  bases: readonly number[],
  seasons: readonly number[],
): number[] {
  if (season !== 'multiplicative') {
    let sum = 1;
    return bases.map((_, i) => {
      const variance = sigma2 * sum;
      sum += (alpha + beta * (i + 1) + ((i + 1) % period === 0 ? gamma : 0)) ** 2;
      return variance;
    });
  }
  return bases.map((base, i) => {
    let product = 1 + sigma2;
    for (let j = 0; j < i; j++) {
      const steps = i - j;
      const onLevel = ((alpha + beta * steps) * at(bases, j)) / base;
      product *= 1 + sigma2 * (onLevel + (steps % period === 0 ? gamma : 0)) ** 2;
    }
    return (base * at(seasons, i)) ** 2 * (product - 1);
  });
}
