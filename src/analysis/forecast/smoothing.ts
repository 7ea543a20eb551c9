import { at } from '../numeric.js';
import type { FittedForecaster, Forecaster, ForecastMethod } from './method.js';
import { minimiseInUnitCube } from './nelder-mead.js';
import { predictionVariance } from './prediction-variance.js';
import {
  type SmoothingPass,
  type SmoothingRates,
  type SmoothingShape,
  smooth,
  startingState,
} from './smoothing-state.js';

/**
 * Exponential smoothing without and with trend (simple and Holt; with a season, Holt-Winters), with
 * rates of maximum likelihood. Between an additive and a multiplicative season the likelihood decides.
 */
export const smoothers: readonly Forecaster[] = [
  (...args) => fitShape(false, ...args),
  (...args) => fitShape(true, ...args),
];

/** Fewest values that can tell the rates from one another. */
const fewestValues = 8;
/** Where the search starts: slow, middling and fast. The likelihood may have several hills. */
const starts: readonly SmoothingRates[] = [
  { alpha: 0.1, beta: 0.01, gamma: 0.01 },
  { alpha: 0.3, beta: 0.05, gamma: 0.1 },
  { alpha: 0.7, beta: 0.02, gamma: 0.5 },
];
/** The rates stay this far inside their bounds, where the components do not freeze or jump. */
const border = 1e-4;

const methods = {
  plain: {
    none: 'exponential-smoothing',
    additive: 'seasonal-smoothing-additive',
    multiplicative: 'seasonal-smoothing-multiplicative',
  },
  trend: { none: 'holt', additive: 'holt-winters-additive', multiplicative: 'holt-winters-multiplicative' },
} as const satisfies Record<string, Record<SmoothingShape['season'], ForecastMethod>>;

function fitShape(trend: boolean, values: readonly number[], period: number | null): FittedForecaster | undefined {
  if (values.length < fewestValues) return undefined;
  if (period === null || values.length < 2 * period) {
    return fitted(values, mostLikely(values, { trend, season: 'none', period: 1 }));
  }
  const additive = mostLikely(values, { trend, season: 'additive', period });
  if (values.some((value) => value <= 0)) return fitted(values, additive);
  const multiplicative = mostLikely(values, { trend, season: 'multiplicative', period });
  return fitted(values, multiplicative.pass.deviance < additive.pass.deviance ? multiplicative : additive);
}

interface Estimate {
  readonly shape: SmoothingShape;
  readonly rates: SmoothingRates;
  readonly pass: SmoothingPass;
}

function mostLikely(values: readonly number[], shape: SmoothingShape): Estimate {
  const start = startingState(values, shape);
  const searches = starts.map((rates) =>
    minimiseInUnitCube((point) => smooth(values, shape, start, ratesAt(point, shape)).deviance, pointOf(rates, shape)),
  );
  const best = searches.reduce((a, b) => (b.value < a.value ? b : a));
  const rates = ratesAt(best.point, shape);
  return { shape, rates, pass: smooth(values, shape, start, rates) };
}

function fitted(values: readonly number[], { shape, rates, pass }: Estimate): FittedForecaster {
  const n = values.length;
  const { level, growth, season } = pass.state;
  const estimated = pointOf(rates, shape).length + 1 + (shape.trend ? 1 : 0) + shape.period - 1;
  const sigma2 = pass.squares / Math.max(1, n - estimated);
  return {
    method: methods[shape.trend ? 'trend' : 'plain'][shape.season],
    predict: (horizon) => {
      const bases = Array.from({ length: horizon }, (_, i) => level + growth * (i + 1));
      const seasons = bases.map((_, i) => at(season, (n + i) % shape.period));
      const mean = bases.map((base, i) =>
        shape.season === 'multiplicative' ? base * at(seasons, i) : base + at(seasons, i),
      );
      return { mean, deviation: predictionVariance(shape, rates, sigma2, bases, seasons).map(Math.sqrt) };
    },
  };
}

/** The rates at a point of the unit cube, whose axes are alpha, beta/alpha and gamma/(1 - alpha). */
function ratesAt(point: readonly number[], shape: SmoothingShape): SmoothingRates {
  const inside = (axis: number): number => border + (1 - 2 * border) * at(point, axis);
  const alpha = inside(0);
  return {
    alpha,
    beta: shape.trend ? alpha * inside(1) : 0,
    gamma: shape.season === 'none' ? 0 : (1 - alpha) * inside(shape.trend ? 2 : 1),
  };
}

function pointOf({ alpha, beta, gamma }: SmoothingRates, shape: SmoothingShape): number[] {
  const trend = shape.trend ? [beta / alpha] : [];
  const season = shape.season === 'none' ? [] : [gamma / (1 - alpha)];
  return [alpha, ...trend, ...season];
}
