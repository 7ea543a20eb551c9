import { at } from '../numeric.js';
import type { FittedForecaster } from './method.js';
import { minimiseInUnitCube } from './nelder-mead.js';

const mostTheta = 20;

/**
 * The dynamic optimised Theta model (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler, International
 * Journal of Forecasting 32 (2016) 1151): simple exponential smoothing of a Theta line whose weight is
 * estimated, added to a straight line that is re-estimated at every step. For values without season.
 */
export function fitTheta(values: ArrayLike<number>): FittedForecaster | undefined {
  const n = values.length;
  if (n < 4) return undefined;
  const first = at(values, 0);
  let spread = 0;
  for (let t = 1; t < n; t++) spread = Math.max(spread, Math.abs(at(values, t) - first));
  const line = new ThetaLine();
  const apply = (point: ArrayLike<number>): void => {
    line.alpha = 0.1 + 0.89 * at(point, 0);
    line.share = (1 - 1 / mostTheta) * at(point, 1);
    line.start(first + spread * (2 * at(point, 2) - 1));
  };
  const { point } = minimiseInUnitCube(
    (trial) => {
      apply(trial);
      return squaresOf(line, values);
    },
    [0.45, 0.526, 0.5],
    { maxEvaluations: 300, tolerance: 1e-8 },
  );
  apply(point);
  const sigma2 = squaresOf(line, values) / Math.max(1, n - 2 - 3);
  return {
    method: 'theta',
    models: ['Theta'],
    predict: (horizon) => {
      const ahead = line.copy();
      const mean = Array.from({ length: horizon }, () => {
        const forecast = ahead.forecast();
        ahead.observe(forecast);
        return forecast;
      });
      return { mean, deviation: mean.map((_, h) => Math.sqrt(sigma2 * (1 + h * line.alpha ** 2))) };
    },
  };
}

/** The first two forecasts rest on no line, so they are not judged. */
function squaresOf(line: ThetaLine, values: ArrayLike<number>): number {
  let squares = 0;
  for (let t = 0; t < values.length; t++) {
    const error = at(values, t) - line.forecast();
    if (t > 1) squares += error * error;
    line.observe(at(values, t));
  }
  return squares;
}

/** State of the model: the smoothed level, and the least-squares line through all values so far. */
class ThetaLine {
  alpha = 0.5;
  /** `1 - 1/theta`: the weight of the line. */
  share = 0.5;
  #level = 0;
  #steps = 0;
  #mean = 0;
  #slope = 0;
  #intercept = 0;
  /** `(1 - alpha)` to the power of the steps. */
  #decay = 1;

  start(level: number): void {
    this.#level = level;
    this.#steps = 0;
    this.#mean = 0;
    this.#slope = 0;
    this.#intercept = 0;
    this.#decay = 1;
  }

  forecast(): number {
    const { alpha } = this;
    const reached = (1 - this.#decay * (1 - alpha)) / alpha;
    return this.#level + this.share * (this.#decay * this.#intercept + reached * this.#slope);
  }

  observe(value: number): void {
    const t = ++this.#steps;
    this.#level += this.alpha * (value - this.#level);
    this.#decay *= 1 - this.alpha;
    this.#slope = t < 2 ? 0 : ((t - 2) * this.#slope + (6 * (value - this.#mean)) / t) / (t + 1);
    this.#mean += (value - this.#mean) / t;
    this.#intercept = this.#mean - ((t + 1) / 2) * this.#slope;
  }

  copy(): ThetaLine {
    const line = new ThetaLine();
    line.alpha = this.alpha;
    line.share = this.share;
    line.#level = this.#level;
    line.#steps = this.#steps;
    line.#mean = this.#mean;
    line.#slope = this.#slope;
    line.#intercept = this.#intercept;
    line.#decay = this.#decay;
    return line;
  }
}
