import { type ESDHit, generalisedESD } from './generalised-esd.js';
import { at, largestMagnitude, medianOf, plainMean, quantileOfSorted, sorted } from './numeric.js';

/** A value far from the rest. */
export interface Outlier {
  /** Position in the series, from 0. */
  readonly index: number;
  readonly value: number;
  /** How far, with the sign of the deviation: a modified z-score, or in the unit of the method asked for. */
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
  const { centre, unit } = robustScale(values, magnitude);
  const floor = magnitude * roundingShare;
  return Float64Array.from(values, (value) =>
    Math.abs(value - centre) > floor && unit > 0 ? (value - centre) / unit : 0,
  );
}

function robustScale(values: ArrayLike<number>, magnitude: number): { centre: number; unit: number } {
  const centre = medianOf(values);
  const deviations = Float64Array.from(values, (value) => Math.abs(value - centre));
  const mad = medianOf(deviations);
  const unit = mad > magnitude * roundingShare ? mad / 0.6744897501960817 : plainMean(deviations) * 1.2533141373155001;
  return { centre, unit };
}

/** How outliers are told: see {@link findOutliers}. */
export type OutlierMethod = 'mad' | 'iqr' | 'esd';

const mostRounds = 10;
const largestShare = 0.4;

/**
 * The values far from the rest, in the order of the series.
 *
 * - `mad`: a modified z-score beyond 3.5 (Iglewicz and Hoaglin 1993). Median and MAD are measured again
 *   without the values found, until no more are: many outliers then widen the MAD no longer. A score is
 *   that of the round that found the value.
 * - `iqr`: beyond 1.5 interquartile ranges from the quartiles (Tukey, Exploratory Data Analysis, 1977).
 * - `esd`: the generalised ESD test at 5 % with mean and standard deviation (Rosner 1983), for a normal rest.
 */
export function findOutliers(values: ArrayLike<number>, method: OutlierMethod = 'mad'): Outlier[] {
  const found = { mad: byMAD, iqr: byQuartiles, esd: byESD }[method](values);
  return found
    .sort((a, b) => a.index - b.index)
    .map(({ index, score }) => ({ index, value: at(values, index), score }));
}

function byMAD(values: ArrayLike<number>): ESDHit[] {
  const magnitude = largestMagnitude(values);
  const hits: ESDHit[] = [];
  let left = Uint32Array.from({ length: values.length }, (_, index) => index);
  for (let round = 0; round < mostRounds; round++) {
    const scores = modifiedZScores(
      Float64Array.from(left, (index) => at(values, index)),
      magnitude,
    );
    const found = [...left].flatMap((index, place) => {
      const score = at(scores, place);
      return Math.abs(score) > outlierThreshold ? [{ index, score }] : [];
    });
    if (found.length === 0 || hits.length + found.length > values.length * largestShare) break;
    hits.push(...found);
    left = left.filter((_, place) => Math.abs(at(scores, place)) <= outlierThreshold);
    if (medianDeviation(left, values) <= magnitude * roundingShare) break;
  }
  return hits;
}

/** Where it is 0, the fallback of the scores would call any value an outlier round after round. */
function medianDeviation(places: ArrayLike<number>, values: ArrayLike<number>): number {
  const kept = Float64Array.from(places, (index) => at(values, index));
  const centre = medianOf(kept);
  return medianOf(kept.map((value) => Math.abs(value - centre)));
}

function byQuartiles(values: ArrayLike<number>): ESDHit[] {
  const ordered = sorted(values);
  const low = quantileOfSorted(ordered, 0.25);
  const high = quantileOfSorted(ordered, 0.75);
  const reach = Math.max(high - low, largestMagnitude(values) * roundingShare);
  const scores = Float64Array.from(values, (value) => {
    if (value > high) return (value - high) / reach;
    return value < low ? (value - low) / reach : 0;
  });
  return [...scores].map((score, index) => ({ index, score })).filter(({ score }) => Math.abs(score) > 1.5);
}

function byESD(values: ArrayLike<number>): ESDHit[] {
  const most = Math.floor(values.length * largestShare);
  const floor = largestMagnitude(values) * roundingShare;
  return generalisedESD(values, { scale: 'mean', most, alpha: 0.05, floor }) ?? [];
}
