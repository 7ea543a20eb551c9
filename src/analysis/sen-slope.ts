import { normal } from './distributions/normal.js';
import { at, medianOfSorted } from './numeric.js';
import { seededRandom } from './random.js';

/** The median of the slopes between all pairs of points. */
export interface SenSlope {
  /** Change per step. */
  readonly slope: number;
  readonly lower: number;
  readonly upper: number;
  /** Level of the interval `[lower, upper]`. */
  readonly level: number;
  /** False where the slopes were sampled; the interval is then widened by the sampling error. */
  readonly exact: boolean;
}

/** Longest series whose pairs are all looked at: two million slopes, 16 MB. */
export const senExactUpTo = 2_000;
const sampledPairs = 1_000_000;

/**
 * Sen's slope (JASA 63 (1968) 1379) with the interval of Gilbert, Statistical Methods for
 * Environmental Pollution Monitoring, 1987, section 16.5. Series longer than 2,000 use a million
 * pairs drawn with a fixed seed.
 *
 * @param values At least 2 values.
 * @param varS The variance of the Mann-Kendall S of the same values.
 */
export function senSlope(values: ArrayLike<number>, varS: number, level: number): SenSlope {
  const n = values.length;
  const exact = n <= senExactUpTo;
  const slopes = (exact ? allSlopes(values) : sampledSlopes(values)).sort();
  const z = normal.quantile((1 + level) / 2);
  const pairs = (n * (n - 1)) / 2;
  const half = (z * Math.sqrt(varS)) / 2 / pairs;
  const margin = exact ? half : Math.hypot(half, (z * 0.5) / Math.sqrt(slopes.length));
  return {
    slope: medianOfSorted(slopes),
    lower: atRank(slopes, Math.round((0.5 - margin) * slopes.length)),
    upper: atRank(slopes, Math.round((0.5 + margin) * slopes.length + 1)),
    level,
    exact,
  };
}

/** The value at a rank counted from 1; the end values for ranks beyond them. */
function atRank(ordered: Float64Array, rank: number): number {
  return at(ordered, Math.max(1, Math.min(ordered.length, rank)) - 1);
}

function allSlopes(values: ArrayLike<number>): Float64Array {
  const n = values.length;
  const slopes = new Float64Array((n * (n - 1)) / 2);
  let count = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) slopes[count++] = (at(values, j) - at(values, i)) / (j - i);
  }
  return slopes;
}

function sampledSlopes(values: ArrayLike<number>): Float64Array {
  const n = values.length;
  const random = seededRandom(n);
  return Float64Array.from({ length: sampledPairs }, () => {
    const i = Math.floor(random() * n);
    const j = (i + 1 + Math.floor(random() * (n - 1))) % n;
    return (at(values, j) - at(values, i)) / (j - i);
  });
}
