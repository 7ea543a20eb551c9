import { at } from '../numeric.js';
import type { Prediction } from './method.js';
import { classicalSeason, isSeasonal } from './seasonal-adjustment.js';

/** A series without its season, and the way back. */
export interface Adjustment {
  readonly model: 'none' | 'additive' | 'multiplicative';
  readonly values: readonly number[];
  /** Gives the season back to a prediction of the steps after the last value. */
  restore(prediction: Prediction): Prediction;
}

/**
 * Takes the season out by classical decomposition where the test finds one: by division for positive
 * values, else by subtraction.
 */
export function adjust(values: readonly number[], period: number | null): Adjustment {
  if (period === null || !isSeasonal(values, period)) {
    return { model: 'none', values, restore: (prediction) => prediction };
  }
  const n = values.length;
  const model = values.every((value) => value > 0) ? 'multiplicative' : 'additive';
  const season = classicalSeason(values, period, model);
  const partAt = (t: number): number => at(season, t % period);
  if (model === 'additive') {
    return {
      model,
      values: values.map((value, t) => value - partAt(t)),
      restore: ({ mean, deviation }) => ({ mean: mean.map((value, h) => value + partAt(n + h)), deviation }),
    };
  }
  return {
    model,
    values: values.map((value, t) => value / partAt(t)),
    restore: ({ mean, deviation }) => ({
      mean: mean.map((value, h) => value * partAt(n + h)),
      deviation: deviation?.map((value, h) => value * partAt(n + h)) ?? null,
    }),
  };
}
