/** Search as the guide's provider does it: a map of objects, every similarity by reduce, all of them sorted. */
export class GuideProvider {
  readonly #embeddings: Map<string, { readonly id: string; readonly vector: number[] }> = new Map();

  store(id: string, vector: number[]): void {
    this.#embeddings.set(id, { id, vector });
  }

  search(query: number[], limit: number): { readonly id: string }[] {
    const results: { id: string; vector: number[]; similarity: number }[] = [];
    for (const embedding of this.#embeddings.values()) {
      const similarity = cosine(query, embedding.vector);
      results.push({ ...embedding, similarity });
    }
    return results.sort((a, b) => b.similarity - a.similarity).slice(0, limit);
  }
}

function cosine(a: number[], b: number[]): number {
  const product = a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  const lengthA = Math.sqrt(a.reduce((sum, x) => sum + x * x, 0));
  const lengthB = Math.sqrt(b.reduce((sum, x) => sum + x * x, 0));
  return product / (lengthA * lengthB);
}
