import { dotProduct } from './dot-product.js';
import type { RowStore } from './row-store.js';

/** How the nearness of two vectors is measured. */
export type Metric = 'cosine' | 'dot' | 'euclidean';

/** One query against the rows of a store. */
export interface Scorer {
  /** What hits are ranked by; more is nearer. */
  score(row: number): number;
  /** The similarity that a score stands for: the cosine, the inner product, or 1 / (1 + distance). */
  toSimilarity(score: number): number;
}

/** Cosines nearer to 1 or -1 than this differ from it by rounding to float32 only. */
const roundingError = 1e-13;

/** Scores by float64 arithmetic over the float32 rows as they are stored. */
export function scorer(metric: Metric, query: Float64Array, store: RowStore): Scorer {
  const { rows, squaredNorms, dimension } = store;
  if (metric === 'euclidean') {
    return {
      score: (row) => -squaredDistance(query, rows, row * dimension),
      toSimilarity: (score) => 1 / (1 + Math.sqrt(-score)),
    };
  }
  if (metric === 'dot') return { score: (row) => dotProduct(query, rows, row * dimension), toSimilarity: same };
  const squaredNorm = dotProduct(query, query, 0);
  return {
    score: (row) => {
      const lengths = Math.sqrt(squaredNorm * (squaredNorms[row] as number));
      return snap(dotProduct(query, rows, row * dimension) / lengths);
    },
    toSimilarity: same,
  };
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

/** A vector is as near to itself as can be, although it was rounded when it was stored. */
function snap(cosine: number): number {
  return Math.abs(cosine) > 1 - roundingError ? Math.sign(cosine) : cosine;
}

function same(score: number): number {
  return score;
}
