import type { Metric } from '../local/metric.js';

/** pgvector's operator and its class of an index, by metric. */
export const operators: Readonly<Record<Metric, { readonly operator: string; readonly indexClass: string }>> = {
  cosine: { operator: '<=>', indexClass: 'vector_cosine_ops' },
  dot: { operator: '<#>', indexClass: 'vector_ip_ops' },
  euclidean: { operator: '<->', indexClass: 'vector_l2_ops' },
};

/** Of pgvector's HNSW index over `vector`. */
export const mostIndexed = 2_000;
