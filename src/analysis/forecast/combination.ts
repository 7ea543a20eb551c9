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
 * Four kinds of models; those that have no form of their own for errors that grow with the values also on the
 * logarithms, if all are positive: seven in all. The forecast is the mean of all but the lowest and the highest:
 * a combination errs less than a model chosen beforehand (Clemen, International Journal of Forecasting 5
 * (1989) 559; trimmed: Jose and Winkler, the same 24 (2008) 163). `undefined` where fewer than two can be
 * fitted. The variance is that of the mixture of their distributions: the mean of theirs and the variance
 * between them; it is widened as {@link widening} says.
 */
export const combination: Forecaster = (values, period) => {
  const adjusted = adjust(values, period);
  const positive = adjusted.values.every((value) => value > 0);
  const fitters: Fitter[] = [fitTheta, (series) => fitARIMA(series), (series) => fitDamped(series)];
  if (positive) fitters.push(...onLogarithms);
  const members = [bestETS(values, period), ...fitters.map((fitter) => onAdjusted(adjusted, fitter))].filter(
    (member) => member !== undefined,
  );
  if (members.length < 2) return undefined;
  return {
    method: 'combination',
    models: members.flatMap(({ models }) => models),
    predict: (horizon) => combine(members, horizon, values.length),
  };
};

function combine(members: readonly FittedForecaster[], horizon: number, n: number): Prediction {
  const predictions = members.map((member) => member.predict(horizon));
  const mean: number[] = [];
  const deviation: number[] = [];
  for (let h = 0; h < horizon; h++) {
    const means = predictions.map((prediction) => at(prediction.mean, h)).filter(Number.isFinite);
    const variances = predictions.map((prediction) => at(prediction.deviation ?? [], h) ** 2).filter(Number.isFinite);
    const own = variances.length > 4 ? trimmedMean(variances) : plainMean(variances);
    mean.push(trimmedMean(means));
    deviation.push(widening(h + 1, n) * Math.sqrt(own + squaredDeviations(means) / means.length));
  }
  return { mean, deviation };
}

/** Without the lowest and the highest, where more than two remain. */
function trimmedMean(values: readonly number[]): number {
  return plainMean(values.length > 2 ? values.toSorted((a, b) => a - b).slice(1, -1) : values);
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

function fitDamped(
  values: readonly number[],
  error: 'A' | 'M' = values.every((value) => value > 0) ? 'M' : 'A',
): FittedForecaster | undefined {
  const fitted = fitETS(values, { error, trend: 'Ad', season: 'N', period: 1 });
  return fitted && { ...fitted, method: 'damped-trend' };
}

/** Differences of logarithms twice taken would let growth itself grow without end; their errors are even, in any unit. */
const onLogarithms: readonly Fitter[] = [
  ofLogarithms((values) => fitTheta(values)),
  ofLogarithms((values) => fitARIMA(values, 1)),
  ofLogarithms((values) => fitDamped(values, 'A')),
];

/** The median of what the logarithms say, and its spread to the first order. */
function ofLogarithms(fitter: Fitter): Fitter {
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
