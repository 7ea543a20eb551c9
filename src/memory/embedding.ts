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
  /** The text it was made of, or that was stored with it. */
  text?: string;
  /** From 0 to 1, where it was given. */
  importance?: number;
  /** What a hit was ranked by, where that was more than its similarity: words, age, importance. */
  score?: number;
}
