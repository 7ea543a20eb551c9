import { squaredLength } from '../dot-product.js';
import type { Metric } from '../metric.js';
import { codeQuery, strideOf } from './quantise.js';

/** Relative room for the rounding of a bound to float32. */
const rounding = 2 ** -22;
/** Beyond this float32 might not hold what the kernel computes. */
const largestLength = 1e15;
/** Below this a float64 does not hold the square of a length. */
const smallestLength = 1e-150;

/**
 * A query as the kernel takes it. The kernel's score of a row is the cosine, the inner product with the
 * query brought to length 1, or 2 q.x - |x|^2, which orders rows as the Euclidean distance does.
 */
export class ScanQuery {
  /** Int16, of the padded length. */
  readonly codes: Int16Array;
  /** Turns sums of code products times a row's scale into scores. */
  readonly alpha: number;
  /** Turns a row's error for a query of length 1 into that of a score. */
  readonly beta: number;
  readonly #metric: Metric;
  readonly #length: number;

  constructor(metric: Metric, vector: Float64Array) {
    this.#metric = metric;
    this.#length = Math.sqrt(squaredLength(vector));
    this.codes = new Int16Array(strideOf(vector.length));
    const scale = codeQuery(vector, this.#length, this.codes);
    this.beta = metric === 'euclidean' ? 2 * this.#length * (1 + rounding) : 1;
    this.alpha = metric === 'euclidean' ? 2 * this.#length * scale : scale;
  }

  /** The kernel's score below which no row has an exact score of `score`; NaN when all must be looked at. */
  least(score: number): number {
    const length = this.#length;
    if (!(length < largestLength)) return Number.NaN;
    if (this.#metric === 'dot' && length < smallestLength) return Number.NaN;
    if (this.#metric === 'cosine') return roundDown(score, Math.abs(score));
    if (this.#metric === 'dot') return roundDown(score / length, Math.abs(score / length));
    return roundDown(score + length * length, Math.abs(score) + length * length);
  }
}

function roundDown(value: number, magnitude: number): number {
  if (value === Number.NEGATIVE_INFINITY) return value;
  return Math.fround(value - magnitude * rounding - 1e-37);
}
