/** A stored vector. On hits of a search `similarity` is set. */
export interface Embedding {
  id: string;
  /** A copy; of length `dimension`. */
  vector: number[];
  /** A copy of what was stored with it. */
  metadata?: Record<string, unknown>;
  /** When it was stored, in milliseconds since the epoch. */
  timestamp: number;
  /** How near it is to the query; more is nearer. */
  similarity?: number;
}
