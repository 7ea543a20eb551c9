import { studentT } from './distributions/student-t.js';
import { generalisedESD } from './generalised-esd.js';
import { leverages, loess } from './loess.js';
import { at, largestMagnitude, medianOf } from './numeric.js';
import { modifiedZScores, type Outlier, outlierThreshold } from './outliers.js';
import { stl } from './stl.js';
import type { RobustParts } from './take-apart.js';

/** A value far from what its trend and season let expect. */
export interface Anomaly extends Outlier {
  /** Trend and season at this place, by all values that are no anomalies. */
  readonly expected: number;
}

/** No more than this share of a series can be anomalous. */
const largestShare = 0.4;
/** Chance of an anomaly in a series that has none, beside normal errors of even size. */
const alpha = 0.05;
const roundingShare = 1e-12;
const mostRounds = 10;
/** Width of the local lines where there is no period. */
const plainWindow = 11;

/**
 * Values that the rest of the series does not account for, in its order. First the suspects, by
 * seasonal-hybrid ESD (Hochenbaum, Vallis and Kejariwal, arXiv:1704.07706): the generalised ESD test with
 * median and MAD, on what robust STL leaves. A robust fit follows the values it believes, so that of a
 * clean series, too, some seem far off: each suspect is then held against trend and season fitted without
 * any of them, by Student's t on deleted residuals (Cook and Weisberg, Residuals and Influence in
 * Regression, 1982, section 2.2) at 5 % over all values (Bonferroni), until no suspect has to be cleared.
 *
 * A score is in standard deviations of the prediction; where what remains is mere rounding, a modified z-score.
 */
export function findAnomalies(
  values: readonly number[],
  period: number | null,
  { model, expected, remainder }: RobustParts,
): Anomaly[] {
  const times = model === 'multiplicative';
  const magnitude = times ? 1 : largestMagnitude(values);
  const scale = evenScale(remainder);
  const scores = modifiedZScores(
    remainder.map((value, t) => value / at(scale, t)),
    magnitude,
  );
  let suspects = suspectsAmong(scores);
  const worked = Float64Array.from(values, (value) => (times ? Math.log(value) : value));
  for (let round = 0; round < mostRounds && suspects.length > 0; round++) {
    const fit = fitWithout(worked, suspects, period, scale);
    if (!(fit.deviation > roundingShare * magnitude)) break;
    const kept = suspects.filter((index) => Math.abs(fit.score(index)) > fit.critical);
    if (kept.length === suspects.length) {
      return kept.map((index) => ({
        index,
        value: at(values, index),
        expected: times ? Math.exp(at(fit.expected, index)) : at(fit.expected, index),
        score: fit.score(index),
      }));
    }
    suspects = kept;
  }
  return suspects.map((index) => ({
    index,
    value: at(values, index),
    expected: at(expected, index),
    score: at(scores, index),
  }));
}

function suspectsAmong(scores: Float64Array): number[] {
  const most = Math.floor(scores.length * largestShare);
  const hits = generalisedESD(scores, { scale: 'median', most, alpha, floor: roundingShare });
  const far = hits?.map(({ index }) => index) ?? [...scores.keys()];
  return far.filter((index) => Math.abs(at(scores, index)) > outlierThreshold).sort((a, b) => a - b);
}

/** Trend and season by the values that are not suspected, and how far each value is from them. */
interface Fit {
  readonly expected: Float64Array;
  /** Standard deviation of what remains. */
  readonly deviation: number;
  /** Scores beyond this are not chance. */
  readonly critical: number;
  score(index: number): number;
}

function fitWithout(
  values: Float64Array,
  suspects: readonly number[],
  period: number | null,
  scale: Float64Array,
): Fit {
  const n = values.length;
  const weights = new Float64Array(n).fill(1);
  for (const index of suspects) weights[index] = 0;
  const window = period === null ? Math.min(plainWindow, n - 1 + (n % 2)) : 2 * Math.ceil(0.75 * period) + 1;
  const expected = period === null ? loess(values, { window, degree: 1, jump: 1, weights }) : seasonal();
  function seasonal(): Float64Array {
    const { trend, season } = stl(values, period ?? 1, { season: 'periodic', trend: window, rounds: 0, weights });
    return trend.map((level, t) => level + at(season, t));
  }
  const shares = sharesOf(weights, window, period);
  const residuals = values.map((value, t) => value - at(expected, t));
  let squares = 0;
  let df = 0;
  for (let t = 0; t < n; t++) {
    squares += at(weights, t) * (at(residuals, t) / at(scale, t)) ** 2;
    df += at(weights, t) * (1 - at(shares, t));
  }
  const deviation = Math.sqrt(squares / df);
  return {
    expected,
    deviation,
    // Scale, model and suspects were chosen by the values: in short series the spread is known less well than df says.
    critical: studentT.quantile(1 - alpha / (2 * n), Math.max(1, df / 2)),
    score: (t) => (at(residuals, t) * Math.sqrt(1 - at(shares, t))) / (deviation * at(scale, t)),
  };
}

/** The share that each value has, or would have, in the fit at its own place. */
function sharesOf(weights: Float64Array, window: number, period: number | null): Float64Array {
  const shares = leverages(weights.length, window);
  if (period === null) return shares;
  const counts = new Float64Array(period);
  for (let t = 0; t < weights.length; t++) counts[t % period] = at(counts, t % period) + at(weights, t);
  return shares.map((share, t) => {
    const others = at(counts, t % period) - at(weights, t);
    return 1 - (1 - share) * (1 - (1 - 1 / period) / (others + 1));
  });
}

/** Deviation of ln |x| for a normal x: pi / sqrt(8). */
const logSpread = Math.PI / Math.sqrt(8);
const beyondChance = 3.2905267314918945;

/**
 * The size of the errors along the series, 1 in its middle: it may grow or shrink at an even rate, where the
 * logarithms of the remainders do so beyond chance (at 0.1 %; in the manner of Harvey, Econometrica 44 (1976) 461).
 */
function evenScale(remainder: Float64Array): Float64Array {
  const n = remainder.length;
  const sizes = remainder.map(Math.abs);
  const least = 0.05 * medianOf(sizes);
  const centre = (n - 1) / 2;
  let cross = 0;
  let square = 0;
  for (let t = 0; least > 0 && t < n; t++) {
    cross += (t - centre) * Math.log(Math.max(at(sizes, t), least));
    square += (t - centre) ** 2;
  }
  const slope = square > 0 ? cross / square : 0;
  const sure = Math.abs(slope) * Math.sqrt(square) > beyondChance * logSpread;
  return remainder.map((_, t) => (sure ? Math.exp(slope * (t - centre)) : 1));
}
