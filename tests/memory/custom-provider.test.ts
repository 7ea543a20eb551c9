import { type Embedding, LocalVectorMemory, VectorMemoryProvider } from '@safla/sdk/memory';
import { describe, expect, it } from 'vitest';

class Implementing implements VectorMemoryProvider {
  private vectors: Map<string, Embedding> = new Map();

  async store(id: string, vector: number[], metadata?: Record<string, unknown>): Promise<void> {
    this.vectors.set(id, { id, vector, ...(metadata ? { metadata } : {}), timestamp: Date.now() });
  }

  async retrieve(id: string): Promise<Embedding | null> {
    return this.vectors.get(id) || null;
  }

  async search(_queryVector: number[], limit: number = 10, threshold: number = 0.7): Promise<Embedding[]> {
    return [...this.vectors.values()].filter(() => threshold <= 1).slice(0, limit);
  }

  async delete(id: string): Promise<boolean> {
    return this.vectors.delete(id);
  }
}

class Extending extends VectorMemoryProvider {
  override async store(): Promise<void> {}
  override async retrieve(): Promise<null> {
    return null;
  }
  override async search(): Promise<Embedding[]> {
    return [];
  }
  override async delete(): Promise<boolean> {
    return false;
  }
}

describe('VectorMemoryProvider', () => {
  it('can be implemented, extended, and stood in for by LocalVectorMemory', async () => {
    const providers: VectorMemoryProvider[] = [new Implementing(), new Extending(), new LocalVectorMemory()];
    for (const provider of providers) {
      await provider.store('a', [1, 0], { title: 'A' });
      const hits = await provider.search([1, 0], 10, 0.7);
      expect(hits.length).toBeLessThanOrEqual(1);
      expect(await provider.delete('a')).toBe(!(provider instanceof Extending));
      expect(await provider.retrieve('a')).toBeNull();
    }
  });

  it('has the four methods and nothing else', () => {
    class Bare extends Extending {}
    expect(Object.getOwnPropertyNames(VectorMemoryProvider.prototype)).toEqual(['constructor']);
    expect(Object.keys(new Bare())).toEqual([]);
  });
});
