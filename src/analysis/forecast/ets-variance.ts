import { at } from '../numeric.js';
import type { ETSRates, ETSShape } from './ets-pass.js';

/**
 * Variance of the forecast error at the steps 1, 2, ... of an ETS model (Hyndman, Koehler, Ord and
 * Snyder, Forecasting with Exponential Smoothing, 2008): exact for additive errors (table 6.1) and for
 * relative errors with additive components (section 6.3); a multiplicative season is taken beside the
 * level as in section 6.4, with what they have in common to the first order. Rates count as known. Time
 * grows in proportion to the steps, with a season under relative errors to their square over the period.
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
  const { gamma } = rates;
  if (error === 'A') {
    const weights = weightsOf(rates, horizon);
    let sum = 1;
    return bases.map((_, i) => {
      const variance = sigma2 * sum;
      sum += (at(weights, i + 1) + (season !== 'N' && (i + 1) % period === 0 ? gamma : 0)) ** 2;
      return variance;
    });
  }
  const past = new PastMoments(rates);
  const weights = weightsOf(rates, season === 'N' ? 0 : horizon);
  if (season === 'M') {
    return bases.map((base, i) => {
      let moment = base * base + sigma2 * past.weighted;
      // An error moves the level and its own phase of the season together.
      for (let j = i - period; j >= 0; j -= period)
        moment += 2 * sigma2 * gamma * at(weights, i - j) * at(bases, j) * base;
      past.push(moment);
      const own = (1 + sigma2) * (1 + gamma * gamma * sigma2) ** Math.floor(i / period);
      return (own * moment - base * base) * at(seasons, i) ** 2;
    });
  }
  const moments = new Float64Array(horizon);
  return bases.map((base, i) => {
    const mean = base + at(seasons, i);
    let moment = mean * mean + sigma2 * past.weighted;
    for (let j = i - period; season === 'A' && j >= 0; j -= period) {
      moment += sigma2 * gamma * (2 * at(weights, i - j) + gamma) * at(moments, j);
    }
    moments[i] = moment;
    past.push(moment);
    return (1 + sigma2) * moment - mean * mean;
  });
}

/** What an error adds to the base so many steps later: `alpha + beta (phi + phi² + ...)`; index 0 is unused. */
function weightsOf(rates: ETSRates, horizon: number): Float64Array {
  const weights = new Float64Array(horizon + 1);
  for (let step = 1, weight = rates.alpha; step <= horizon; step++) {
    weight = nextWeight(rates, weight);
    weights[step] = weight;
  }
  return weights;
}

function nextWeight({ alpha, beta, phi }: ETSRates, weight: number): number {
  return phi * weight + alpha * (1 - phi) + beta * phi;
}

/** Sum of moments, each times the square of the weight that its age has; one step at a time. */
class PastMoments {
  weighted = 0;
  #once = 0;
  #sum = 0;

  constructor(readonly rates: ETSRates) {}

  push(moment: number): void {
    const { alpha, phi } = this.rates;
    const first = nextWeight(this.rates, alpha);
    const added = nextWeight(this.rates, 0);
    this.weighted =
      phi * phi * this.weighted + 2 * phi * added * this.#once + added * added * this.#sum + first * first * moment;
    this.#once = phi * this.#once + added * this.#sum + first * moment;
    this.#sum += moment;
  }
}
