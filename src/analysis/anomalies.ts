import { generalisedESD } from './generalised-esd.js';
import { at, largestMagnitude } from './numeric.js';
import { modifiedZScores, type Outlier, outlierThreshold } from './outliers.js';
import type { RobustParts } from './take-apart.js';

/** A value far from what its trend and season let expect. */
export interface Anomaly extends Outlier {
  /** Trend and season at this place. */
  readonly expected: number;
}

/** No more than this share of a series can be anomalous. */
const largestShare = 0.4;
const alpha = 0.05;
const roundingShare = 1e-12;

/**
 * Seasonal-hybrid ESD (Hochenbaum, Vallis and Kejariwal, arXiv:1704.07706): the generalised ESD test at 5 %
 * with median and MAD, on what robust trend and season leave; in the order of the series. A score is in
 * robust standard deviations of all remainders, and at least 3.5, which alone decides where most remainders are 0.
 */
export function findAnomalies(values: readonly number[], { model, expected, remainder }: RobustParts): Anomaly[] {
  const magnitude = model === 'multiplicative' ? 1 : largestMagnitude(values);
  const scores = modifiedZScores(remainder, magnitude);
  const most = Math.floor(values.length * largestShare);
  const hits = generalisedESD(scores, { scale: 'median', most, alpha, floor: roundingShare });
  const far = hits?.map(({ index }) => index) ?? [...scores.keys()];
  return far
    .filter((index) => Math.abs(at(scores, index)) > outlierThreshold)
    .sort((a, b) => a - b)
    .map((index) => ({ index, value: at(values, index), expected: at(expected, index), score: at(scores, index) }));
}
