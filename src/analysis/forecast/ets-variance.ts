import { at } from '../numeric.js';
import type { ETSRates, ETSShape } from './ets-pass.js';

/**
 * Variance of the forecast error at the steps 1, 2, ... of an ETS model (Hyndman, Koehler, Ord and
 * Snyder, Forecasting with Exponential Smoothing, 2008): exact for additive errors (table 6.1) and for
 * relative errors with additive components (section 6.3); with a multiplicative season the relative
 * errors in between act to the first order, each phase on its own. Rates count as known.
 *
 * @param sigma2 Variance of the one-step error, relative for a multiplicative error.
 * @param bases Level and trend at each step.
 * @param seasons The seasonal component at each step.
 */
export function etsVariance(
  { error, season, period }: ETSShape,
  rates: ETSRates,
  sigma2: number,
  bases: readonly number[],
  seasons: readonly number[],
): number[] {
  const horizon = bases.length;
  const weights = weightsOf(rates, horizon);
  const gammaAt = (step: number): number => (season !== 'N' && step % period === 0 ? rates.gamma : 0);
  if (error === 'A') {
    let sum = 1;
    return bases.map((_, i) => {
      const variance = sigma2 * sum;
      sum += (at(weights, i + 1) + gammaAt(i + 1)) ** 2;
      return variance;
    });
  }
  if (season === 'M') {
    return bases.map((base, i) => {
      let product = 1 + sigma2;
      for (let j = 0; j < i; j++) {
        const onLevel = (at(weights, i - j) * at(bases, j)) / base;
        product *= 1 + sigma2 * (onLevel + gammaAt(i - j)) ** 2;
      }
      return (base * at(seasons, i)) ** 2 * (product - 1);
    });
  }
  const moments = new Float64Array(horizon);
  return bases.map((base, i) => {
    const mean = base + at(seasons, i);
    let moment = mean * mean;
    for (let j = 0; j < i; j++) moment += sigma2 * (at(weights, i - j) + gammaAt(i - j)) ** 2 * at(moments, j);
    moments[i] = moment;
    return (1 + sigma2) * moment - mean * mean;
  });
}

/** What an error adds to the base so many steps later: `alpha + beta (phi + phi² + ...)`; index 0 is unused. */
function weightsOf({ alpha, beta, phi }: ETSRates, horizon: number): Float64Array {
  const weights = new Float64Array(horizon + 1);
  for (let step = 1, damping = 0, power = 1; step <= horizon; step++) {
    power *= phi;
    damping += power;
    weights[step] = alpha + beta * damping;
  }
  return weights;
}
