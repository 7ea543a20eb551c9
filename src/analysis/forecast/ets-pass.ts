import { at } from '../numeric.js';

/** An innovations state space model of exponential smoothing, named as ETS(error, trend, season). */
export interface ETSShape {
  readonly error: 'A' | 'M';
  /** None, additive, or damped additive. */
  readonly trend: 'N' | 'A' | 'Ad';
  readonly season: 'N' | 'A' | 'M';
  /** Length of the season, 1 without one. */
  readonly period: number;
}

/** How fast each component follows the errors, and how fast the trend is damped (`phi` 1: not at all). */
export interface ETSRates {
  alpha: number;
  beta: number;
  gamma: number;
  phi: number;
}

/** The components after some number of values. */
export interface ETSState {
  level: number;
  /** Change of the level per step. */
  growth: number;
  /** One entry for each phase, counted from the first value of the series. */
  readonly season: Float64Array;
}

/** Products of forecasts are turned into logarithms before they leave this range. */
const largest = 1e100;
const smallest = 1e-100;

/**
 * Runs a model over a series, changing `state` from that before the first value to that after the last
 * (Hyndman, Koehler, Ord and Snyder, Forecasting with Exponential Smoothing, 2008, tables 2.2, 2.3).
 * Returns `n ln(sum of squared errors)`, plus `2 sum ln |forecast|` where errors are relative: -2 ln
 * likelihood up to a constant. Infinite where a relative error has no positive forecast to stand on.
 *
 * @param errors Receives the one-step errors, relative ones for a multiplicative error.
 */
export function passETS(
  values: ArrayLike<number>,
  { error, season, period }: ETSShape,
  { alpha, beta, gamma, phi }: ETSRates,
  state: ETSState,
  errors?: Float64Array,
): number {
  const n = values.length;
  const relative = error === 'M';
  const times = season === 'M';
  const seasonal = season !== 'N';
  const seasons = state.season;
  let { level, growth } = state;
  let squares = 0;
  let product = 1;
  let logs = 0;
  for (let t = 0, phase = 0; t < n; t++) {
    const base = level + phi * growth;
    const factor = seasonal ? at(seasons, phase) : 0;
    const forecast = times ? base * factor : base + factor;
    const miss = at(values, t) - forecast;
    if (relative) {
      if (!(forecast > 0)) return Number.POSITIVE_INFINITY;
      const share = miss / forecast;
      squares += share * share;
      if (errors) errors[t] = share;
      product *= forecast;
      if (product > largest || product < smallest) {
        logs += Math.log(product);
        product = 1;
      }
    } else {
      squares += miss * miss;
      if (errors) errors[t] = miss;
    }
    const change = times ? miss / factor : miss;
    level = base + alpha * change;
    growth = phi * growth + beta * change;
    if (seasonal) {
      seasons[phase] = factor + gamma * (times ? miss / base : miss);
      phase = phase + 1 === period ? 0 : phase + 1;
    }
  }
  state.level = level;
  state.growth = growth;
  const deviance = n * Math.log(Math.max(squares, Number.MIN_VALUE));
  return relative ? deviance + 2 * (logs + Math.log(product)) : deviance;
}
