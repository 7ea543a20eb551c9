interface Kept {
  readonly id: string;
  readonly vector: number[];
}

/** Search as the guide's provider does it: a map of objects, every similarity in a loop, all of them sorted; no threshold. */
export class GuideProvider {
  readonly #vectors: Map<string, Kept> = new Map();

  store(id: string, vector: number[]): void {
    this.#vectors.set(id, { id, vector });
  }

  search(query: number[], limit: number): Kept[] {
    const results: { embedding: Kept; similarity: number }[] = [];
    for (const embedding of this.#vectors.values()) {
      results.push({ embedding, similarity: cosine(query, embedding.vector) });
    }
    return results
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, limit)
      .map(({ embedding }) => embedding);
  }
}

function cosine(a: number[], b: number[]): number {
  let [product, lengthA, lengthB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    product += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  return product / (Math.sqrt(lengthA) * Math.sqrt(lengthB));
}
