import { at } from '../numeric.js';
import { type ETSRates, type ETSShape, type ETSState, passETS } from './ets-pass.js';
import { etsVariance } from './ets-variance.js';
import type { FittedForecaster } from './method.js';
import { minimiseInUnitCube } from './nelder-mead.js';
import { classicalSeason } from './seasonal-adjustment.js';

/** A model with the rates and the state that make the series most likely. */
export interface FittedETS extends FittedForecaster {
  readonly shape: ETSShape;
  readonly rates: ETSRates;
  /** Corrected information criterion of Akaike, to compare models of one series; lower is better. */
  readonly aicc: number;
}

/** Rates stay this far inside their bounds, where the components do not freeze or jump. */
const border = 1e-4;
/** The usual bounds of the damping: closer to 1 it cannot be told from none. */
const leastPhi = 0.8;
const mostPhi = 0.98;

/**
 * Fits one ETS model by maximum likelihood over its rates and its first level and growth; the first
 * season is that of a classical decomposition of the whole series. `undefined` where there are too few
 * values for the criterion, or where relative errors have no positive values to stand on.
 */
export function fitETS(values: ArrayLike<number>, shape: ETSShape): FittedETS | undefined {
  const n = values.length;
  const count = parameterCount(shape);
  if (n < count + 2) return undefined;
  const start = startOf(values, shape);
  const season = new Float64Array(shape.period);
  const rates: ETSRates = { alpha: 0, beta: 0, gamma: 0, phi: 1 };
  const state: ETSState = { level: 0, growth: 0, season };
  const axes = axesOf(shape);
  const apply = (point: ArrayLike<number>): void => {
    for (let i = 0; i < axes.length; i++) {
      const share = at(point, i);
      const axis = axes[i];
      if (axis === 'alpha') rates.alpha = inside(share);
      else if (axis === 'beta') rates.beta = rates.alpha * inside(share);
      else if (axis === 'gamma') rates.gamma = (1 - rates.alpha) * inside(share);
      else if (axis === 'phi') rates.phi = leastPhi + (mostPhi - leastPhi) * share;
      else if (axis === 'level') state.level = start.level + start.levelReach * (2 * share - 1);
      else state.growth = start.growth + start.growthReach * (2 * share - 1);
    }
    season.set(start.season);
  };
  const { point } = minimiseInUnitCube(
    (trial) => {
      apply(trial);
      return passETS(values, shape, rates, state);
    },
    axes.map((axis) => firstPoint[axis]),
    { maxEvaluations: 60 * axes.length, tolerance: 1e-6 },
  );
  apply(point);
  const errors = new Float64Array(n);
  const deviance = passETS(values, shape, rates, state, errors);
  if (!Number.isFinite(deviance)) return undefined;
  const aicc = deviance + 2 * count + (2 * count * (count + 1)) / (n - count - 1);
  return { shape, rates, aicc, ...forecasterOf(shape, rates, state, errors, count) };
}

function forecasterOf(
  shape: ETSShape,
  rates: ETSRates,
  state: ETSState,
  errors: Float64Array,
  count: number,
): FittedForecaster {
  const n = errors.length;
  const sigma2 = errors.reduce((sum, error) => sum + error * error, 0) / Math.max(1, n - count + 1);
  return {
    method: 'ets',
    models: [`ETS(${shape.error},${shape.trend},${shape.season})`],
    predict: (horizon) => {
      const bases: number[] = [];
      for (let h = 0, level = state.level, growth = state.growth; h < horizon; h++) {
        growth *= rates.phi;
        level += growth;
        bases.push(level);
      }
      const seasons = bases.map((_, h) => (shape.season === 'N' ? 0 : at(state.season, (n + h) % shape.period)));
      const mean = bases.map((base, h) => (shape.season === 'M' ? base * at(seasons, h) : base + at(seasons, h)));
      return { mean, deviation: etsVariance(shape, rates, sigma2, bases, seasons).map(Math.sqrt) };
    },
  };
}

type Axis = 'alpha' | 'beta' | 'gamma' | 'phi' | 'level' | 'growth';

/** Where the search starts, in the unit cube. */
const firstPoint: Readonly<Record<Axis, number>> = {
  alpha: 0.4,
  beta: 0.1,
  gamma: 0.1,
  phi: 0.7,
  level: 0.5,
  growth: 0.5,
};

function axesOf({ trend, season }: ETSShape): Axis[] {
  const axes: Axis[] = ['alpha', 'level'];
  if (trend !== 'N') axes.push('beta', 'growth');
  if (trend === 'Ad') axes.push('phi');
  if (season !== 'N') axes.push('gamma');
  return axes;
}

/** Rates and first state with the whole season, and the variance. */
function parameterCount(shape: ETSShape): number {
  return axesOf(shape).length + (shape.season === 'N' ? 0 : shape.period - 1) + 1;
}

function inside(share: number): number {
  return border + (1 - 2 * border) * share;
}

interface Start {
  readonly level: number;
  readonly growth: number;
  /** How far from these the search may go. */
  readonly levelReach: number;
  readonly growthReach: number;
  readonly season: Float64Array;
}

/** The line through the first ten values or two seasons, seasonally adjusted (section 2.6.1 of the same book). */
function startOf(values: ArrayLike<number>, { trend, season, period }: ETSShape): Start {
  const model = season === 'M' ? 'multiplicative' : 'additive';
  const phases = season === 'N' ? new Float64Array(1) : classicalSeason(values, period, model);
  const adjusted = (t: number): number =>
    season === 'M' ? at(values, t) / at(phases, t % period) : at(values, t) - at(phases, t % period);
  const count = Math.min(values.length, Math.max(10, 2 * period));
  let mean = 0;
  for (let t = 0; t < count; t++) mean += adjusted(t) / count;
  let cross = 0;
  let square = 0;
  let spread = 0;
  for (let t = 0; t < count; t++) {
    const step = t - (count - 1) / 2;
    cross += step * (adjusted(t) - mean);
    square += step * step;
    spread += Math.abs(adjusted(t) - mean) / count;
  }
  const slope = square > 0 ? cross / square : 0;
  const reach = 3 * spread + 1e-9 * Math.abs(mean);
  return {
    level: trend === 'N' ? mean : mean - (slope * (count + 1)) / 2,
    growth: trend === 'N' ? 0 : slope,
    levelReach: reach,
    growthReach: Math.abs(slope) + reach / count + Number.MIN_VALUE,
    season: phases,
  };
}
