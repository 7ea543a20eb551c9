import { ValidationError } from '../core/index.js';
import { requireKnown, requireWhole } from './checks.js';
import { at, plainMean } from './numeric.js';
import { readSeries, type SeriesInput, type SeriesOptions, seriesOptionNames } from './parse-series.js';
import { scaled } from './scale.js';

/** Settings of {@link matrixProfile}. */
export interface MatrixProfileOptions extends SeriesOptions {
  /** Length of the stretches that are compared: 4 to half the series. */
  readonly window: number;
  /** Most motifs and most discords to name. @default 3 */
  readonly count?: number;
}

/** Two stretches of one shape. */
export interface Motif {
  /** Where the two begin, from 0. */
  readonly first: number;
  readonly second: number;
  readonly distance: number;
}

/** A stretch like no other. */
export interface Discord {
  /** Where it begins, from 0. */
  readonly index: number;
  /** To the stretch that is least unlike it. */
  readonly distance: number;
}

/** What {@link matrixProfile} found. */
export interface MatrixProfile {
  readonly n: number;
  readonly window: number;
  /** Distance of the stretch that begins at each index to its nearest other one. */
  readonly profile: readonly number[];
  /** Where that other one begins. */
  readonly nearest: readonly number[];
  /** The most alike first; none overlaps another. */
  readonly motifs: readonly Motif[];
  /** The most unlike first; none overlaps another. */
  readonly discords: readonly Discord[];
  readonly method: string;
  readonly notes: readonly string[];
}

/** Longest series: the time grows with the square, to some seconds here. */
const matrixProfileUpTo = 20_000;
/** Spreads below this share of the series' own are of flat stretches. */
const flatShare = 1e-9;

/**
 * Repeated shapes (motifs) and shapes seen once (discords): the matrix profile of Yeh et al., IEEE ICDM
 * 2016, of z-normalised Euclidean distances between all stretches of one length, by dot products carried
 * along the diagonals as in STOMP (Zhu et al., IEEE ICDM 2016): O(n²) time and O(n) memory. Stretches that
 * begin within a quarter of the window of each other are not compared. A flat stretch is at distance 0
 * from another flat one and at `sqrt(window)` from any other.
 *
 * @throws ValidationError for an input that is not a series, a window it has no room for, or more than
 * 20,000 values.
 *
 * @example
 * const { motifs, discords } = matrixProfile(heartbeat, { window: 80 });
 */
export function matrixProfile(series: SeriesInput, options: MatrixProfileOptions): MatrixProfile {
  requireKnown('matrixProfile', options, ['window', 'count', ...seriesOptionNames]);
  const { window, count = 3 } = options;
  const { values: input, notes } = readSeries(series, options);
  const n = input.length;
  if (n > matrixProfileUpTo) {
    throw new ValidationError('matrixProfile', [
      {
        path: [],
        message: `takes time in the square of the length: expected up to ${matrixProfileUpTo} values, found ${n}`,
      },
    ]);
  }
  requireWhole('matrixProfile', 'window', window, 4, Math.max(4, n >> 1));
  if (n < 2 * window) {
    throw new ValidationError('matrixProfile', [
      { path: ['window'], message: `needs ${2 * window} values for a window of ${window}, found ${n}` },
    ]);
  }
  requireWhole('matrixProfile', 'count', count, 1, 100);
  const { correlation, nearest } = nearestStretches(scaled(input).values, window);
  const profile = Array.from(correlation, (r) => Math.sqrt(2 * window * Math.max(0, 1 - r)));
  return {
    n,
    window,
    profile,
    nearest: [...nearest],
    motifs: motifsOf(profile, nearest, window, count),
    discords: discordsOf(profile, window, count),
    method: 'matrix profile of z-normalised distances (Yeh et al. 2016; Zhu et al. 2016)',
    notes,
  };
}

function nearestStretches(
  values: readonly number[],
  window: number,
): { correlation: Float64Array; nearest: Int32Array } {
  const total = plainMean(values);
  const centred = Float64Array.from(values, (value) => value - total);
  const count = centred.length - window + 1;
  const { means, inverse } = momentsOf(centred, window);
  const correlation = new Float64Array(count).fill(-1);
  const nearest = new Int32Array(count).fill(-1);
  const apart = Math.max(1, Math.ceil(window / 4)) + 1;
  for (let lag = apart; lag < count; lag++) {
    let product = 0;
    for (let k = 0; k < window; k++) product += at(centred, k) * at(centred, k + lag);
    for (let i = 0, j = lag; j < count; i++, j++) {
      if (i > 0) {
        product += at(centred, i + window - 1) * at(centred, j + window - 1) - at(centred, i - 1) * at(centred, j - 1);
      }
      const a = at(inverse, i);
      const b = at(inverse, j);
      const flat = a === 0 || b === 0;
      const r = flat ? (a === b ? 1 : 0.5) : (product - window * at(means, i) * at(means, j)) * a * b;
      if (r > at(correlation, i)) {
        correlation[i] = r;
        nearest[i] = j;
      }
      if (r > at(correlation, j)) {
        correlation[j] = r;
        nearest[j] = i;
      }
    }
  }
  return { correlation, nearest };
}

/** Mean of each stretch, and one over the root of its squared deviations; 0 for a flat one. */
function momentsOf(values: Float64Array, window: number): { means: Float64Array; inverse: Float64Array } {
  const count = values.length - window + 1;
  const means = new Float64Array(count);
  const inverse = new Float64Array(count);
  const overall = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
  for (let start = 0; start < count; start++) {
    let sum = 0;
    for (let k = start; k < start + window; k++) sum += at(values, k);
    const mean = sum / window;
    let squares = 0;
    for (let k = start; k < start + window; k++) squares += (at(values, k) - mean) ** 2;
    means[start] = mean;
    inverse[start] = Math.sqrt(squares / window) > flatShare * overall ? 1 / Math.sqrt(squares) : 0;
  }
  return { means, inverse };
}

function motifsOf(profile: readonly number[], nearest: Int32Array, window: number, count: number): Motif[] {
  const motifs: Motif[] = [];
  const order = profile.map((_, i) => i).sort((a, b) => at(profile, a) - at(profile, b));
  const taken: number[] = [];
  for (const index of order) {
    const other = at(nearest, index);
    if (motifs.length === count) break;
    if (other < 0 || [index, other].some((start) => overlaps(taken, start, window))) continue;
    motifs.push({ first: Math.min(index, other), second: Math.max(index, other), distance: at(profile, index) });
    taken.push(index, other);
  }
  return motifs;
}

function discordsOf(profile: readonly number[], window: number, count: number): Discord[] {
  const order = profile.map((_, i) => i).sort((a, b) => at(profile, b) - at(profile, a));
  const taken: number[] = [];
  for (const index of order) {
    if (taken.length === count) break;
    if (!overlaps(taken, index, window)) taken.push(index);
  }
  return taken.map((index) => ({ index, distance: at(profile, index) }));
}

function overlaps(taken: readonly number[], start: number, window: number): boolean {
  return taken.some((other) => Math.abs(other - start) < window);
}
