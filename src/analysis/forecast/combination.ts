import { at, medianOf, plainMean, squaredDeviations } from '../numeric.js';
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
 * The median of four models of different kinds, which errs less than any one of them (Petropoulos and
 * Svetunkov, International Journal of Forecasting 36 (2020) 110). `undefined` where fewer than two can be
 * fitted. The variance is that of the mixture of their distributions: the mean of theirs and the variance
 * between them; it is widened as {@link widening} says.
 */
export const combination: Forecaster = (values, period) => {
  const adjusted = adjust(values, period);
  const members = [
    bestETS(values, period),
    onAdjusted(adjusted, fitTheta),
    onAdjusted(adjusted, fitARIMA),
    onAdjusted(adjusted, fitDamped),
  ].filter((member) => member !== undefined);
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
    const variance = plainMean(variances) + squaredDeviations(means) / means.length;
    mean.push(medianOf(means));
    deviation.push(widening(h + 1, n) * Math.sqrt(variance));
  }
  return { mean, deviation };
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

function onAdjusted(
  adjusted: Adjustment,
  fitter: (values: readonly number[]) => FittedForecaster | undefined,
): FittedForecaster | undefined {
  const fitted = fitter(adjusted.values);
  if (!fitted || adjusted.model === 'none') return fitted;
  return {
    method: fitted.method,
    models: fitted.models.map((model) => `${model}, ${adjusted.model} season`),
    predict: (horizon) => adjusted.restore(fitted.predict(horizon)),
  };
}
