import type { Embedding } from './embedding.js';

/**
 * What stores vectors by id and finds the nearest ones. It has these four methods and nothing else,
 * so a provider of your own may `extends` or `implements` it.
 */
export abstract class VectorMemoryProvider {
  /** Stores a vector under `id`, in place of one that was there. */
  abstract store(id: string, vector: number[], metadata?: Record<string, unknown>): Promise<void>;

  /** The vector under `id`, or null. */
  abstract retrieve(id: string): Promise<Embedding | null>;

  /**
   * The vectors nearest to `queryVector`, nearest first.
   *
   * @param limit at most this many
   * @param threshold only those with at least this similarity
   */
  abstract search(queryVector: number[], limit?: number, threshold?: number): Promise<Embedding[]>;

  /** Removes the vector under `id`. False when there was none. */
  abstract delete(id: string): Promise<boolean>;
}
