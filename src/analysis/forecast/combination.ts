import { at, plainMean, squaredDeviations } from '../numeric.js';
import { type Adjustment, adjust } from './adjustment.js';
import { fitARIMA } from './arima.js';
import { bestETS } from './best-ets.js';
import { fitETS } from './ets.js';
import type { FittedForecaster, Forecaster, Prediction } from './method.js';
import { fitTheta } from './theta.js';

/** ETS on the values as they are; the season is one of its components. */
export const ets: Forecaster = (values, period) => bestETS(values, period);

/** The dynamic optimised Theta model on the seasonally adjusted values. */
export const theta: Forecaster = (values, period) => onAdjusted(adjust(values, period), fitTheta);

/** ARIMA on the seasonally adjusted values. */
export const arima: Forecaster = (values, period) => onAdjusted(adjust(values, period), fitARIMA);

/** ETS with a damped trend on the seasonally adjusted values, with relative errors where they are positive. */
export const dampedTrend: Forecaster = (values, period) => onAdjusted(adjust(values, period), fitDamped);

/**
 * Four kinds of models, each with two seats: as they are, and on the logarithms of positive values; ETS, which
 * has a form for either, takes both of its own. The forecast is the mean of all seats but the lowest and the
 * highest: a combination errs less than any one model chosen beforehand (Clemen, International Journal of
 * Forecasting 5 (1989) 559; trimmed: Jose and Winkler, the same 24 (2008) 163). `undefined` where fewer than
 * two can be fitted. The variance is that of the mixture of their distributions: the mean of theirs and the
 * variance between them; it is widened as {@link widening} says.
 */
export const combination: Forecaster = (values, period) => {
  const adjusted = adjust(values, period);
  const own = bestETS(values, period);
  const members = [own, ...[fitTheta, fitARIMA, fitDamped].map((fitter) => onAdjusted(adjusted, fitter))];
  const logarithms = adjusted.values.some((value) => value <= 0)
    ? []
    : [fitTheta, fitSteadyARIMA, fitDamped].map((fitter) => onAdjusted(adjusted, onLogarithms(fitter)));
  const seats = [own, ...members, ...logarithms].filter((member) => member !== undefined);
  if (seats.length < 2) return undefined;
  return {
    method: 'combination',
    models: [...new Set(seats)].flatMap(({ models }) => models),
    predict: (horizon) => combine(seats, horizon, values.length),
  };
};

function combine(seats: readonly FittedForecaster[], horizon: number, n: number): Prediction {
  const known = new Map(seats.map((seat) => [seat, seat.predict(horizon)]));
  const predictions = seats.flatMap((seat) => known.get(seat) ?? []);
  const mean: number[] = [];
  const deviation: number[] = [];
  for (let h = 0; h < horizon; h++) {
    const means = predictions.map((prediction) => at(prediction.mean, h)).filter(Number.isFinite);
    const variances = predictions.map((prediction) => at(prediction.deviation ?? [], h) ** 2).filter(Number.isFinite);
    const variance = trimmedMean(variances) + squaredDeviations(means) / means.length;
    mean.push(trimmedMean(means));
    deviation.push(widening(h + 1, n) * Math.sqrt(variance));
  }
  return { mean, deviation };
}

/** Without the lowest and the highest, where more than two remain. */
function trimmedMean(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  return plainMean(ordered.length > 4 ? ordered.slice(1, -1) : ordered);
}

/** Differences of logarithms twice taken would let growth itself grow without end. */
const fitSteadyARIMA = (values: readonly number[]): FittedForecaster | undefined => fitARIMA(values, 1);

/** The median of what the logarithms say, and its spread to the first order. */
function onLogarithms(fitter: Fitter): Fitter {
  return (values) => {
    const fitted = fitter(values.map(Math.log));
    return (
      fitted && {
        method: fitted.method,
        models: fitted.models.map((model) => `${model} of logarithms`),
        predict: (horizon) => {
          const { mean, deviation } = fitted.predict(horizon);
          const back = mean.map(Math.exp);
          return { mean: back, deviation: deviation?.map((share, h) => share * at(back, h)) ?? null };
        },
      }
    );
  };
}

/**
 * Models take their form and their rates as known, and the world as it was: intervals by their variances
 * hold less than they say, the more so the farther they reach and the less they rest on. The factor was
 * set on some 1,000 public economic series so that the 95 % interval of the combination held 95 % of
 * what followed; `docs/analysis.md` tells what it holds elsewhere.
 */
function widening(step: number, n: number): number {
  return 1.05 + 0.15 * Math.log(step) * Math.sqrt(30 / Math.max(n, 10));
}

function fitDamped(values: readonly number[]): FittedForecaster | undefined {
  const error = values.every((value) => value > 0) ? 'M' : 'A';
  const fitted = fitETS(values, { error, trend: 'Ad', season: 'N', period: 1 });
  return fitted && { ...fitted, method: 'damped-trend' };
}

type Fitter = (values: readonly number[]) => FittedForecaster | undefined;

function onAdjusted(adjusted: Adjustment, fitter: Fitter): FittedForecaster | undefined {
  const fitted = fitter(adjusted.values);
  if (!fitted || adjusted.model === 'none') return fitted;
  return {
    method: fitted.method,
    models: fitted.models.map((model) => `${model}, ${adjusted.model} season`),
    predict: (horizon) => adjusted.restore(fitted.predict(horizon)),
  };
}
