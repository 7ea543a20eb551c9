import { at, largestMagnitude, medianOf, plainMean } from './numeric.js';

/** A value far from the rest. */
export interface Outlier {
  /** Position in the series, from 0. */
  readonly index: number;
  readonly value: number;
  /** Modified z-score, with the sign of the deviation. */
  readonly score: number;
}

/** The cut-off that Iglewicz and Hoaglin recommend. */
export const outlierThreshold = 3.5;

/** Deviations below this share of the largest value are rounding, not spread. */
const roundingShare = 1e-12;

/**
 * The modified z-score of each value: `0.6745 (x - median) / MAD` (Iglewicz and Hoaglin, How to Detect
 * and Handle Outliers, ASQC 1993). Where more than half of the values are equal, and the median
 * absolute deviation therefore 0, the mean absolute deviation times 1.2533 stands in for it. All
 * scores are 0 where nothing deviates beyond rounding.
 *
 * @param magnitude The size of the numbers the values were computed from, to tell rounding from spread.
 */
export function modifiedZScores(values: ArrayLike<number>, magnitude: number = largestMagnitude(values)): Float64Array {
  const median = medianOf(values);
  const deviations = Float64Array.from(values, (value) => Math.abs(value - median));
  const floor = magnitude * roundingShare;
  const mad = medianOf(deviations);
  const unit = mad > floor ? mad / 0.6744897501960817 : plainMean(deviations) * 1.2533141373155001;
  return Float64Array.from(values, (value, index) =>
    at(deviations, index) > floor && unit > 0 ? (value - median) / unit : 0,
  );
}

/** The values whose modified z-score passes 3.5, in the order of the series. */
export function findOutliers(values: ArrayLike<number>): Outlier[] {
  const outliers: Outlier[] = [];
  for (const [index, score] of modifiedZScores(values).entries()) {
    if (Math.abs(score) > outlierThreshold) outliers.push({ index, value: at(values, index), score });
  }
  return outliers;
}
