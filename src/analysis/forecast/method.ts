/** The ways of forecasting. `combination` is a trimmed mean of `ets`, `theta`, `arima` and `damped-trend`. */
export type ForecastMethod =
  | 'naive'
  | 'mean'
  | 'drift'
  | 'seasonal-naive'
  | 'ets'
  | 'theta'
  | 'arima'
  | 'damped-trend'
  | 'combination';

/** What a fitted method says of the next steps. */
export interface Prediction {
  readonly mean: number[];
  /** Standard deviation of the error at each step; `null` where too few values tell it. */
  readonly deviation: number[] | null;
}

/** A method after it has seen the values. */
export interface FittedForecaster {
  readonly method: ForecastMethod;
  /** The models behind it as they were fitted, like `ETS(M,Ad,M)`. */
  readonly models: readonly string[];
  predict(horizon: number): Prediction;
}

/** One way of forecasting; gives nothing when the values are too few or not of the kind it is for. */
export type Forecaster = (values: readonly number[], period: number | null) => FittedForecaster | undefined;
