/** The ways of forecasting that are tried, the simplest first. */
export type ForecastMethod =
  | 'naive'
  | 'mean'
  | 'drift'
  | 'seasonal-naive'
  | 'exponential-smoothing'
  | 'holt'
  | 'seasonal-smoothing-additive'
  | 'seasonal-smoothing-multiplicative'
  | 'holt-winters-additive'
  | 'holt-winters-multiplicative';

/** What a fitted method says of the next steps. */
export interface Prediction {
  readonly mean: number[];
  /** Standard deviation of the error at each step; `null` where too few values tell it. */
  readonly deviation: number[] | null;
}

/** A method after it has seen the values. */
export interface FittedForecaster {
  readonly method: ForecastMethod;
  predict(horizon: number): Prediction;
}

/** One way of forecasting; gives nothing when the values are too few or not of the kind it is for. */
export type Forecaster = (values: readonly number[], period: number | null) => FittedForecaster | undefined;
