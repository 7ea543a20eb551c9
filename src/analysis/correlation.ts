import { ValidationError } from '../core/index.js';
import { requireFraction, requireKnown, requireOneOf } from './checks.js';
import { normal } from './distributions/normal.js';
import { studentT } from './distributions/student-t.js';
import { at, plainMean } from './numeric.js';
import { countFalls, ranksOf, tieTerms } from './order.js';
import { scaled } from './scale.js';

/** `pearson` asks for a line, `spearman` and `kendall` for any rise or fall together. */
export type CorrelationMethod = 'pearson' | 'spearman' | 'kendall';

/** Settings of {@link correlate}. */
export interface CorrelationOptions {
  /** @default 'pearson' */
  readonly method?: CorrelationMethod;
  /** Level of the interval, strictly between 0 and 1. @default 0.95 */
  readonly confidence?: number;
}

/** How two lists of values go together. Nothing is ever `NaN`. */
export interface CorrelationResult {
  readonly method: CorrelationMethod;
  /** Pairs of which both values are there. */
  readonly n: number;
  /** -1 to 1; `null` for fewer than 3 pairs or equal values. */
  readonly coefficient: number | null;
  /** Two-sided: Student's t for Pearson and Spearman, the normal approximation with ties for Kendall. */
  readonly p: number | null;
  /** By Fisher's z; for Pearson from 4 pairs on. It supposes a bivariate normal distribution. */
  readonly confidenceInterval: readonly [lower: number, upper: number] | null;
  readonly notes: readonly string[];
}

/** A column of a table: one entry for each row, `null`, `undefined` or `NaN` where a value is missing. */
export type TableColumn = readonly (number | null | undefined)[];

/**
 * Correlation of two columns with its significance. Rows with a missing value are left out. The tests
 * suppose independent rows: two series that both rise correlate whatever they are.
 *
 * @throws ValidationError for columns of different length, values that are not numbers, or an option
 * outside its range.
 *
 * @example
 * const { coefficient, p } = correlate(temperature, sales, { method: 'spearman' });
 */
export function correlate(x: TableColumn, y: TableColumn, options: CorrelationOptions = {}): CorrelationResult {
  requireKnown('correlate', options, ['method', 'confidence']);
  const { method = 'pearson', confidence = 0.95 } = options;
  requireOneOf('correlate', 'method', method, ['pearson', 'spearman', 'kendall']);
  requireFraction('correlate', 'confidence', confidence);
  const [a, b] = pairsOf(x, y);
  const n = a.length;
  const notes = x.length > n ? [`${x.length - n} of ${x.length} rows lack a value: left out.`] : [];
  const coefficient = n < 3 ? null : coefficientOf(a, b, method);
  if (coefficient === null) {
    const why =
      n < 3 ? `${n} pairs: a correlation needs 3.` : 'All values of a column are equal: no correlation is defined.';
    return { method, n, coefficient, p: null, confidenceInterval: null, notes: [...notes, why] };
  }
  return {
    method,
    n,
    coefficient,
    p: method === 'kendall' ? kendallP(a, b) : studentP(coefficient, n),
    confidenceInterval: method === 'pearson' && n > 3 ? fisherInterval(coefficient, n, confidence) : null,
    notes,
  };
}

function pairsOf(x: TableColumn, y: TableColumn): [number[], number[]] {
  if (!Array.isArray(x) || !Array.isArray(y) || x.length !== y.length) {
    throw new ValidationError('correlate', [{ path: ['y'], message: 'expected two arrays of one length' }]);
  }
  const a: number[] = [];
  const b: number[] = [];
  for (let row = 0; row < x.length; row++) {
    const left = cell(x[row], 'x', row);
    const right = cell(y[row], 'y', row);
    if (left === undefined || right === undefined) continue;
    a.push(left);
    b.push(right);
  }
  // Neither squares nor sums overflow then, and no figure here has a unit.
  return [[...scaled(a).values], [...scaled(b).values]];
}

function cell(value: unknown, column: string, row: number): number | undefined {
  if (value === null || value === undefined || Number.isNaN(value)) return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new ValidationError('correlate', [
    { path: [column, `item ${row + 1}`], message: 'expected a finite number, or null for a missing one' },
  ]);
}

function coefficientOf(a: readonly number[], b: readonly number[], method: CorrelationMethod): number | null {
  if (method === 'kendall') return kendall(a, b).tau;
  return method === 'spearman' ? pearson(ranksOf(a), ranksOf(b)) : pearson(a, b);
}

function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const [meanA, meanB] = [plainMean(a), plainMean(b)];
  let cross = 0;
  let squareA = 0;
  let squareB = 0;
  for (let i = 0; i < a.length; i++) {
    cross += (at(a, i) - meanA) * (at(b, i) - meanB);
    squareA += (at(a, i) - meanA) ** 2;
    squareB += (at(b, i) - meanB) ** 2;
  }
  const scale = Math.sqrt(squareA) * Math.sqrt(squareB);
  return scale > 0 ? Math.max(-1, Math.min(1, cross / scale)) : null;
}

/** Kendall's tau-b with the variance of S under ties (Kendall, Rank Correlation Methods, 1975), in O(n log n). */
function kendall(a: readonly number[], b: readonly number[]): { tau: number | null; z: number } {
  const n = a.length;
  const order = a.map((_, i) => i).sort((i, j) => at(a, i) - at(a, j) || at(b, i) - at(b, j));
  const sortedA = order.map((i) => at(a, i));
  const matchedB = order.map((i) => at(b, i));
  const { falls, ordered } = countFalls(matchedB);
  const tiesA = tieTerms(sortedA);
  const tiesB = tieTerms(ordered);
  const pairs = (n * (n - 1)) / 2;
  const S = pairs - tiesA.pairs - tiesB.pairs + jointPairs(sortedA, matchedB) - 2 * falls;
  const scale = Math.sqrt(pairs - tiesA.pairs) * Math.sqrt(pairs - tiesB.pairs);
  const variance =
    (n * (n - 1) * (2 * n + 5) - tiesA.variance - tiesB.variance) / 18 +
    (2 * tiesA.pairs * tiesB.pairs) / (n * (n - 1)) +
    (tiesA.triples * tiesB.triples) / (9 * n * (n - 1) * (n - 2));
  return { tau: scale > 0 ? S / scale : null, z: variance > 0 ? S / Math.sqrt(variance) : 0 };
}

/** Pairs that are equal in both columns, which are in order. */
function jointPairs(a: readonly number[], b: readonly number[]): number {
  let pairs = 0;
  for (let start = 0, end = 0; start < a.length; start = end) {
    while (end < a.length && a[end] === a[start] && b[end] === b[start]) end++;
    pairs += ((end - start) * (end - start - 1)) / 2;
  }
  return pairs;
}

function kendallP(a: readonly number[], b: readonly number[]): number {
  return normal.twoSided(kendall(a, b).z);
}

function studentP(r: number, n: number): number {
  const unexplained = (1 - r) * (1 + r);
  return unexplained === 0 ? 0 : 2 * studentT.cdf(-Math.abs(r) * Math.sqrt((n - 2) / unexplained), n - 2);
}

function fisherInterval(r: number, n: number, confidence: number): [number, number] {
  const half = normal.quantile((1 + confidence) / 2) / Math.sqrt(n - 3);
  const z = Math.atanh(Math.max(-1 + 1e-16, Math.min(1 - 1e-16, r)));
  return [Math.tanh(z - half), Math.tanh(z + half)];
}
