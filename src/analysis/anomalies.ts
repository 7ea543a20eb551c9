import type { Decomposition } from './decompose.js';
import { at, largestMagnitude } from './numeric.js';
import { modifiedZScores, type Outlier, outlierThreshold } from './outliers.js';

/** A value far from what its trend and season let expect. */
export interface Anomaly extends Outlier {
  /** Trend and season at this place. */
  readonly expected: number;
}

/** The values whose remainder has a modified z-score beyond 3.5, in the order of the series. */
export function findAnomalies(values: readonly number[], { model, expected, remainder }: Decomposition): Anomaly[] {
  const magnitude = model === 'multiplicative' ? 1 : largestMagnitude(values);
  const anomalies: Anomaly[] = [];
  for (const [index, score] of modifiedZScores(remainder, magnitude).entries()) {
    if (Math.abs(score) <= outlierThreshold) continue;
    anomalies.push({ index, value: at(values, index), expected: at(expected, index), score });
  }
  return anomalies;
}
