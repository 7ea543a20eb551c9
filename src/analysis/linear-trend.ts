import { compensatedMean } from './compensated.js';
import { studentT } from './distributions/student-t.js';
import { at, isConstant } from './numeric.js';

/** A least-squares line over the steps 0, 1, 2, ... */
export interface LinearTrend {
  /** Change per step. */
  readonly slope: number;
  /** Height at step 0, the first value. */
  readonly intercept: number;
  /** Pearson's correlation with time; 0 for equal values. */
  readonly r: number;
  /** Share of the variance that the line explains. */
  readonly r2: number;
  /** Two-sided t test of slope 0; `null` for fewer than 3 values. It supposes independent errors. */
  readonly p: number | null;
}

/** Ordinary least squares on time, by centred sums. */
export function linearTrend(values: readonly number[]): LinearTrend {
  const n = values.length;
  if (isConstant(values)) {
    return { slope: 0, intercept: at(values, 0), r: 0, r2: 0, p: n < 3 ? null : 1 };
  }
  const centre = (n - 1) / 2;
  const mean = compensatedMean(values);
  let cross = 0;
  let square = 0;
  for (const [step, value] of values.entries()) {
    cross += (step - centre) * (value - mean);
    square += (value - mean) ** 2;
  }
  const timeSquare = (n * (n * n - 1)) / 12;
  const slope = cross / timeSquare;
  const r = Math.max(-1, Math.min(1, cross / Math.sqrt(timeSquare * square)));
  return { slope, intercept: mean - slope * centre, r, r2: r * r, p: n < 3 ? null : pValue(r, n - 2) };
}

function pValue(r: number, degreesOfFreedom: number): number {
  const unexplained = (1 - r) * (1 + r);
  if (unexplained === 0) return 0;
  return 2 * studentT.cdf(-Math.abs(r) * Math.sqrt(degreesOfFreedom / unexplained), degreesOfFreedom);
}
