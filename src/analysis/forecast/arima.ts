import { at, plainMean, squaredDeviations } from '../numeric.js';
import type { FittedForecaster } from './method.js';
import { minimiseInUnitCube } from './nelder-mead.js';

/** Orders of an ARIMA model without season; `drift` adds a mean to the differenced series. */
interface Order {
  readonly p: number;
  readonly d: number;
  readonly q: number;
  readonly drift: boolean;
}

/** Critical value at 5 % of the test of level stationarity (Kwiatkowski et al. 1992, table 1). */
const critical = 0.463;
const mostOrder = 2;

/**
 * ARIMA(p, d, q) with p, q up to 2, for values without season. Differences are taken until the KPSS test
 * (Journal of Econometrics 54 (1992) 159) no longer objects; orders by AICc; coefficients by the
 * conditional sum of squares (Box and Jenkins 1976, section 7.1), kept stationary and invertible by their
 * partial autocorrelations (Monahan, Biometrika 71 (1984) 403).
 */
export function fitARIMA(values: ArrayLike<number>, mostDifferences = 2): FittedForecaster | undefined {
  if (values.length < 8) return undefined;
  let differenced = Float64Array.from(values);
  let d = 0;
  while (d < mostDifferences && differenced.length > 8 && kpss(differenced) > critical) {
    differenced = differencesOf(differenced);
    d++;
  }
  let best: Candidate | undefined;
  for (let p = 0; p <= mostOrder; p++) {
    for (let q = 0; q <= mostOrder; q++) {
      for (const drift of d < 2 ? [true, false] : [false]) {
        const candidate = fitOrder(differenced, { p, d, q, drift });
        if (candidate && candidate.aicc < (best?.aicc ?? Number.POSITIVE_INFINITY)) best = candidate;
      }
    }
  }
  return best && forecasterOf(values, best);
}

interface Candidate {
  readonly order: Order;
  readonly ar: Float64Array;
  readonly ma: Float64Array;
  readonly mean: number;
  readonly aicc: number;
  readonly sigma2: number;
  readonly errors: Float64Array;
  readonly differenced: Float64Array;
}

function fitOrder(values: Float64Array, order: Order): Candidate | undefined {
  const { p, q, drift } = order;
  const n = values.length;
  const count = p + q + (drift ? 1 : 0) + 1;
  if (n < count + 3) return undefined;
  const centre = plainMean(values);
  const reach = 2 * Math.sqrt(squaredDeviations(values) / n);
  const ar = new Float64Array(p);
  const ma = new Float64Array(q);
  const errors = new Float64Array(n);
  let mean = 0;
  const apply = (point: ArrayLike<number>): void => {
    coefficients(point, 0, ar);
    coefficients(point, p, ma);
    mean = drift ? centre + reach * (2 * at(point, p + q) - 1) : 0;
  };
  const size = p + q + (drift ? 1 : 0);
  if (size > 0) {
    const { point } = minimiseInUnitCube(
      (trial) => {
        apply(trial);
        return squaresOf(values, ar, ma, mean, errors);
      },
      Array.from({ length: size }, (_, i) => (i < p ? 0.6 : 0.5)),
      { maxEvaluations: 60 * size, tolerance: 1e-6 },
    );
    apply(point);
  }
  const squares = squaresOf(values, ar, ma, mean, errors);
  const aicc =
    n * Math.log(Math.max(squares / n, Number.MIN_VALUE)) + 2 * count + (2 * count * (count + 1)) / (n - count - 1);
  return { order, ar, ma, mean, aicc, sigma2: squares / Math.max(1, n - count + 1), errors, differenced: values };
}

/** Conditional sum of squares; what lies before the series is its mean, and counts as free of errors. */
function squaresOf(
  values: Float64Array,
  ar: Float64Array,
  ma: Float64Array,
  mean: number,
  errors: Float64Array,
): number {
  const [ar1, ar2, ma1, ma2] = [at(ar, 0), at(ar, 1), at(ma, 0), at(ma, 1)];
  let squares = 0;
  let last = 0;
  let before = 0;
  let lastError = 0;
  let errorBefore = 0;
  for (let t = 0; t < values.length; t++) {
    const value = at(values, t) - mean;
    const error = value - ar1 * last - ar2 * before - ma1 * lastError - ma2 * errorBefore;
    errors[t] = error;
    squares += error * error;
    before = last;
    last = value;
    errorBefore = lastError;
    lastError = error;
  }
  return squares;
}

/** Durbin's recursion from partial autocorrelations, each a coordinate of the cube stretched to (-1, 1). */
function coefficients(point: ArrayLike<number>, from: number, target: Float64Array): void {
  for (let k = 0; k < target.length; k++) {
    const partial = 0.98 * (2 * at(point, from + k) - 1);
    if (k === 1) target[0] = at(target, 0) * (1 - partial);
    target[k] = partial;
  }
}

function forecasterOf(
  values: ArrayLike<number>,
  { order, ar, ma, mean, sigma2, errors, differenced }: Candidate,
): FittedForecaster {
  return {
    method: 'arima',
    models: [
      `ARIMA(${order.p},${order.d},${order.q})${order.drift ? ` with ${order.d === 0 ? 'mean' : 'drift'}` : ''}`,
    ],
    predict: (horizon) => {
      const path = [...differenced.subarray(-2)];
      const shocks = [...errors.subarray(-2)];
      const steps: number[] = [];
      for (let h = 0; h < horizon; h++) {
        let next = mean;
        for (let i = 0; i < ar.length; i++) next += at(ar, i) * (at(path, path.length - 1 - i) - mean);
        for (let i = 0; i < ma.length; i++) next += at(ma, i) * at(shocks, shocks.length - 1 - i);
        path.push(next);
        shocks.push(0);
        steps.push(next);
      }
      const variance = varianceOf(ar, ma, order.d, horizon);
      return {
        mean: integrated(values, steps, order.d),
        deviation: variance.map((share) => Math.sqrt(sigma2 * share)),
      };
    },
  };
}

/** Undoes the differences, from the ends of the series and of its differences. */
function integrated(values: ArrayLike<number>, steps: readonly number[], d: number): number[] {
  const n = values.length;
  let result = [...steps];
  const last = at(values, n - 1);
  if (d === 2) result = cumulated(result, last - at(values, n - 2));
  return d > 0 ? cumulated(result, last) : result;
}

function cumulated(steps: readonly number[], start: number): number[] {
  let sum = start;
  return steps.map((step) => {
    sum += step;
    return sum;
  });
}

/** Sums of the squared psi weights. */
function varianceOf(ar: Float64Array, ma: Float64Array, d: number, horizon: number): number[] {
  let psi: Float64Array<ArrayBufferLike> = new Float64Array(horizon);
  for (let j = 0; j < horizon; j++) {
    let weight = j === 0 ? 1 : at(ma, j - 1);
    for (let i = 0; i < ar.length && i < j; i++) weight += at(ar, i) * at(psi, j - 1 - i);
    psi[j] = weight;
  }
  for (let k = 0; k < d; k++) psi = Float64Array.from(cumulated([...psi], 0));
  let sum = 0;
  return Array.from(psi, (weight) => {
    sum += weight * weight;
    return sum;
  });
}

function differencesOf(values: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: values.length - 1 }, (_, i) => at(values, i + 1) - at(values, i));
}

/** Partial sums of the deviations against the long-run variance (Bartlett weights, lags as in R's forecast). */
function kpss(values: Float64Array): number {
  const n = values.length;
  const mean = plainMean(values);
  const lags = Math.floor(4 * (n / 100) ** 0.25);
  let partial = 0;
  let sum = 0;
  let longRun = 0;
  for (let t = 0; t < n; t++) {
    partial += at(values, t) - mean;
    sum += partial * partial;
  }
  for (let lag = 0; lag <= lags; lag++) {
    let product = 0;
    for (let t = lag; t < n; t++) product += (at(values, t) - mean) * (at(values, t - lag) - mean);
    longRun += (lag === 0 ? 1 : 2 * (1 - lag / (lags + 1))) * product;
  }
  return longRun > 0 ? sum / n / longRun : 0;
}
