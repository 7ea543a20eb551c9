// custom-vector-provider.ts
import type { Embedding, VectorMemoryProvider } from '@safla/sdk';

export class CustomVectorProvider implements VectorMemoryProvider {
  private vectors: Map<string, Embedding> = new Map();
  private index: any; // Your custom index implementation

  async store(id: string, vector: number[], metadata?: any): Promise<void> {
    const embedding: Embedding = {
      id,
      vector,
      metadata,
      timestamp: Date.now(),
    };

    this.vectors.set(id, embedding);
    await this.updateIndex(embedding);
  }

  async retrieve(id: string): Promise<Embedding | null> {
    return this.vectors.get(id) || null;
  }

  async search(
    queryVector: number[],
    limit: number = 10,
    threshold: number = 0.7
  ): Promise<Embedding[]> {
    const results: Array<{ embedding: Embedding; similarity: number }> = [];

    for (const embedding of this.vectors.values()) {
      const similarity = this.calculateSimilarity(queryVector, embedding.vector);
      if (similarity >= threshold) {
        results.push({ embedding, similarity });
      }
    }

    return results
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, limit)
      .map(r => r.embedding);
  }

  async delete(id: string): Promise<boolean> {
    const deleted = this.vectors.delete(id);
    if (deleted) {
      await this.removeFromIndex(id);
    }
    return deleted;
  }

  private calculateSimilarity(a: number[], b: number[]): number {
    // Cosine similarity implementation
    let dotProduct = 0;
    let normA = 0;
    let normB = 0;

    for (let i = 0; i < a.length; i++) {
      dotProduct += a[i] * b[i];
      normA += a[i] * a[i];
      normB += b[i] * b[i];
    }

    return dotProduct / (Math.sqrt(normA) * Math.sqrt(normB));
  }

  private async updateIndex(embedding: Embedding): Promise<void> {
    // Update your custom index
    // Implementation depends on your indexing strategy
  }

  private async removeFromIndex(id: string): Promise<void> {
    // Remove from your custom index
    // Implementation depends on your indexing strategy
  }
}
