import { at } from '../numeric.js';
import type { SmoothingRates, SmoothingShape } from './smoothing-state.js';

/**
 * Variance of the forecast error at the steps 1, 2, ... of an exponential smoothing model: the
 * formulas of class 1 (additive) and class 3 (relative errors, multiplicative season) in Hyndman,
 * Koehler, Ord and Snyder, Forecasting with Exponential Smoothing, 2008, sections 6.2 and 6.4. The
 * rates count as known, as is usual.
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
  const weights = bases.map((_, i) => (alpha + beta * (i + 1)) ** 2);
  const squares: number[] = [];
  return bases.map((base, i) => {
    let spread = 0;
    for (let j = 1; j <= i; j++) spread += at(weights, j - 1) * at(squares, i - j);
    const square = base * base + sigma2 * spread;
    squares.push(square);
    const seasonal = (1 + gamma * gamma * sigma2) ** Math.floor(i / period);
    return at(seasons, i) ** 2 * (square * (1 + sigma2) * seasonal - base * base);
  });
}
