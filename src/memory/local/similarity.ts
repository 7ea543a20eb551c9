import { squaredLength } from './dot-product.js';
import { type Metric, scorer } from './metric.js';

/** The similarity of vectors to a query, by float64 arithmetic over their components as float32. */
export function similarityOf(metric: Metric, query: Float64Array): (vector: readonly number[]) => number {
  const by = scorer(metric, query);
  return (vector) => {
    const rows = Float32Array.from(vector);
    return by.toSimilarity(by.score({ rows, squaredNorms: Float64Array.of(squaredLength(rows)) }, 0));
  };
}
