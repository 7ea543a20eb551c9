import { dotProduct, squaredLength } from './dot-product.js';
import type { RowSegment } from './row-segment.js';
import { ScanQuery } from './scan/scan-query.js';

/** How the nearness of two vectors is measured. */
export type Metric = 'cosine' | 'dot' | 'euclidean';

/** One query. Scores rank hits: more is nearer. */
export interface Scorer {
  /** The query as the scan of codes takes it. */
  readonly scan: ScanQuery;
  /** By float64 arithmetic over the float32 row as it is stored. */
  score(segment: Pick<RowSegment, 'rows' | 'squaredNorms'>, row: number): number;
  /** The similarity that a score stands for: the cosine, the inner product, or 1 / (1 + distance). */
  toSimilarity(score: number): number;
  /** A score that no hit of at least this similarity is below. */
  toScore(similarity: number): number;
}

/** Cosines nearer to 1 or -1 than this differ from it by rounding to float32 only. */
const roundingError = 1e-13;

/** Scores rows against a query. */
export function scorer(metric: Metric, query: Float64Array): Scorer {
  const scan = new ScanQuery(metric, query);
  if (metric === 'euclidean') return { scan, score: distanceTo(query), toSimilarity: nearness, toScore: fromNearness };
  const score = metric === 'dot' ? productWith(query) : cosineWith(query);
  return { scan, score, toSimilarity: same, toScore: same };
}

function productWith(query: Float64Array): Scorer['score'] {
  return ({ rows }, row) => dotProduct(query, rows, row * query.length);
}

function cosineWith(query: Float64Array): Scorer['score'] {
  const squaredNorm = squaredLength(query);
  return ({ rows, squaredNorms }, row) => {
    const lengths = Math.sqrt(squaredNorm * (squaredNorms[row] as number));
    return snap(dotProduct(query, rows, row * query.length) / lengths);
  };
}

function distanceTo(query: Float64Array): Scorer['score'] {
  return ({ rows }, row) => -squaredDistance(query, rows, row * query.length);
}

function squaredDistance(query: Float64Array, rows: Float32Array, offset: number): number {
  const { length } = query;
  const whole = length - (length % 2);
  let [a, b] = [0, 0];
  for (let i = 0; i < whole; i += 2) {
    const first = (query[i] as number) - (rows[offset + i] as number);
    const second = (query[i + 1] as number) - (rows[offset + i + 1] as number);
    a += first * first;
    b += second * second;
  }
  if (whole < length) a += ((query[whole] as number) - (rows[offset + whole] as number)) ** 2;
  return a + b;
}

function nearness(score: number): number {
  return 1 / (1 + Math.sqrt(-score));
}

/** With room for the rounding of {@link nearness}. */
function fromNearness(similarity: number): number {
  if (similarity <= 0) return Number.NEGATIVE_INFINITY;
  const distance = Math.max(0, 1 / similarity - 1) * (1 + 1e-9) + 1e-12;
  return -distance * distance;
}

/** A vector is as near to itself as can be, although it was rounded when it was stored. */
function snap(cosine: number): number {
  return Math.abs(cosine) > 1 - roundingError ? Math.sign(cosine) : cosine;
}

function same(score: number): number {
  return score;
}
