import { at } from '../numeric.js';

/** Which components an exponential smoothing model has. */
export interface SmoothingShape {
  readonly trend: boolean;
  readonly season: 'none' | 'additive' | 'multiplicative';
  /** Length of the season, 1 without one. */
  readonly period: number;
}

/** How fast each component follows the errors: `0 < beta < alpha < 1`, `0 < gamma < 1 - alpha`. */
export interface SmoothingRates {
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
}

/** The components after some number of values. */
export interface SmoothingState {
  readonly level: number;
  /** Change of the level per step. */
  readonly growth: number;
  /** One entry for each phase, counted from the first value of the series. */
  readonly season: Float64Array;
}

/** A pass over a series. */
export interface SmoothingPass {
  readonly state: SmoothingState;
  /** Sum of the squared one-step errors, which are relative where the season is multiplicative. */
  readonly squares: number;
  /** -2 ln likelihood of normal errors, up to a constant; infinite when a one-step forecast is not positive. */
  readonly deviance: number;
}

/**
 * Runs the error-correction form of exponential smoothing over a series: ETS(A,.,.) with additive
 * errors, ETS(M,.,M) with relative errors where the season is multiplicative (Hyndman, Koehler, Ord
 * and Snyder, Forecasting with Exponential Smoothing, 2008, tables 2.2 and 2.3).
 */
export function smooth(
  values: readonly number[],
  shape: SmoothingShape,
  start: SmoothingState,
  { alpha, beta, gamma }: SmoothingRates,
): SmoothingPass {
  const relative = shape.season === 'multiplicative';
  const season = start.season.slice();
  let { level, growth } = start;
  let squares = 0;
  let logForecasts = 0;
  let deviance = 0;
  for (let t = 0, phase = 0; t < values.length; t++, phase = phase + 1 === shape.period ? 0 : phase + 1) {
    const base = level + growth;
    const seasonal = at(season, phase);
    const forecast = relative ? base * seasonal : base + seasonal;
    if (relative && forecast <= 0) deviance = Number.POSITIVE_INFINITY;
    const error = relative ? (at(values, t) - forecast) / forecast : at(values, t) - forecast;
    const unit = relative ? base : 1;
    level = base + alpha * unit * error;
    growth += beta * unit * error;
    season[phase] = seasonal + gamma * (relative ? seasonal : 1) * error;
    squares += error * error;
    if (relative) logForecasts += Math.log(Math.abs(forecast));
  }
  deviance += values.length * Math.log(Math.max(squares / values.length, Number.MIN_VALUE)) + 2 * logForecasts;
  return { state: { level, growth, season }, squares, deviance };
}

/**
 * A state to start from, by the first three seasons (or ten values): the line through them, and what
 * each phase is above it on average. In the manner of section 2.6.1 of the same book.
 */
export function startingState(values: readonly number[], shape: SmoothingShape): SmoothingState {
  const { period, trend } = shape;
  const seasons = Math.min(3, Math.floor(values.length / period));
  const count = period === 1 ? Math.min(10, values.length) : seasons * period;
  const blocks = Array.from({ length: count / period }, (_, k) => blockMean(values, k * period, period));
  const level = blockMean(blocks, 0, blocks.length);
  const growth = trend ? slopeOf(blocks) / period : 0;
  const lineAt = (t: number): number => level + growth * (t - (count - 1) / 2);
  return { level: lineAt(-1), growth, season: startingSeason(values, shape, count, lineAt) };
}

function startingSeason(
  values: readonly number[],
  { season, period }: SmoothingShape,
  count: number,
  lineAt: (t: number) => number,
): Float64Array {
  if (season === 'none') return new Float64Array(1);
  const phases = new Float64Array(period);
  for (let t = 0; t < count; t++) {
    const part = season === 'additive' ? at(values, t) - lineAt(t) : at(values, t) / lineAt(t);
    phases[t % period] = at(phases, t % period) + (part * period) / count;
  }
  const centre = blockMean(phases, 0, period);
  return phases.map((phase) => (season === 'additive' ? phase - centre : phase / centre));
}

function blockMean(values: ArrayLike<number>, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += at(values, i);
  return sum / length;
}

/** Least-squares slope over the indexes, 0 for a single value. */
function slopeOf(values: readonly number[]): number {
  const centre = (values.length - 1) / 2;
  let cross = 0;
  let square = 0;
  for (const [i, value] of values.entries()) {
    cross += (i - centre) * value;
    square += (i - centre) ** 2;
  }
  return square > 0 ? cross / square : 0;
}
