import { type StoredVector, vectorMemoryContract } from '@safla/sdk/testing';
import { vectorMemoryContract as boundContract } from '@safla/sdk/testing/vitest';
import { describe, expect, it } from 'vitest';
import { CollectingRunner } from './fixtures/collecting-runner.js';
import { SimpleMemory } from './fixtures/simple-memory.js';

boundContract('SimpleMemory', () => new SimpleMemory());

/** Each provider breaks one promise; the case that guards it must fail. */
const broken: Readonly<Record<string, new () => SimpleMemory>> = {
  'gives back what was stored, with the time': class extends SimpleMemory {
    protected override now(): number {
      return Date.now() / 1_000;
    }
  },
  'retrieves null for an unknown id': class extends SimpleMemory {
    override async retrieve(id: string): Promise<StoredVector | null> {
      return (await super.retrieve(id)) ?? { id, vector: [], timestamp: 0 };
    }
  },
  'keeps ids apart that are special elsewhere': class extends SimpleMemory {
    protected override keyOf(id: string): string {
      return id.normalize('NFC');
    }
  },
  'stores a copy: changes by the caller afterwards are not seen': class extends SimpleMemory {
    protected override copyIn(row: StoredVector): StoredVector {
      return { ...row };
    }
  },
  'gives out copies: changes to a result do not reach the store': class extends SimpleMemory {
    protected override copyOut(row: StoredVector): StoredVector {
      return { ...row };
    }
  },
  'overwrites by id: the vector, and the metadata also when there is none now': class extends SimpleMemory {
    protected override put(row: StoredVector): void {
      super.put({ ...this.rows.get(row.id), ...row });
    }
  },
  'finds nothing in an empty store': class extends SimpleMemory {
    protected override score(query: number[]): StoredVector[] {
      return this.rows.size > 0 ? super.score(query) : [{ id: '', vector: query, timestamp: 0, similarity: 1 }];
    }
  },
  'orders hits by similarity, highest first, and says it': class extends SimpleMemory {
    protected override order(a: StoredVector, b: StoredVector): number {
      return -super.order(a, b);
    }
  },
  'says the cosine, whatever the lengths of the vectors': class extends SimpleMemory {
    protected override similarity(a: number[], b: number[]): number {
      return super.similarity(a, b) * Math.hypot(...a) * Math.hypot(...b);
    }
  },
  'orders equal similarities by id': class extends SimpleMemory {
    protected override order(a: StoredVector, b: StoredVector): number {
      return (b.similarity ?? 0) - (a.similarity ?? 0);
    }
  },
  'gives at most limit hits, the best ones, and all when there are fewer': class extends SimpleMemory {
    override search(query: number[], limit?: number, threshold?: number): Promise<StoredVector[]> {
      return super.search(query, limit === undefined ? limit : limit + 1, threshold);
    }
  },
  'gives 10 hits unless told otherwise': class extends SimpleMemory {
    protected override defaultLimit(): number {
      return Number.POSITIVE_INFINITY;
    }
  },
  'gives only hits that reach the threshold, those that meet it exactly included': class extends SimpleMemory {
    protected override reaches(similarity: number, threshold: number): boolean {
      return similarity > threshold || threshold === -1;
    }
  },
  'deletes once: true, then false, and the vector is neither retrieved nor found': class extends SimpleMemory {
    override async delete(id: string): Promise<boolean> {
      await super.delete(id);
      return true;
    }
  },
  'stores again under an id that was deleted': class extends SimpleMemory {
    readonly #deleted = new Set<string>();
    override delete(id: string): Promise<boolean> {
      this.#deleted.add(id);
      return super.delete(id);
    }
    protected override put(row: StoredVector): void {
      if (!this.#deleted.has(row.id)) super.put(row);
    }
  },
  'keeps everything that is stored at the same time': class extends SimpleMemory {
    #busy = false;
    override async store(id: string, vector: number[], metadata?: Record<string, unknown>): Promise<void> {
      if (this.#busy) return;
      this.#busy = true;
      await Promise.resolve();
      await super.store(id, vector, metadata);
      this.#busy = false;
    }
  },
  'refuses vectors of another dimension, to store and to search': class extends SimpleMemory {
    protected override checkDimension(): void {}
  },
  'refuses components that are not finite numbers': class extends SimpleMemory {
    protected override checkComponents(): void {}
  },
  'refuses the zero vector, which has no direction': class extends SimpleMemory {
    protected override checkDirection(): void {}
  },
  'refuses a limit that is not 1 or more': class extends SimpleMemory {
    protected override checkLimit(): void {}
  },
  'refuses a threshold that is not a number': class extends SimpleMemory {
    protected override checkThreshold(): void {}
  },
  'refuses an empty id': class extends SimpleMemory {
    protected override checkId(): void {}
  },
};

describe('vectorMemoryContract', () => {
  it('has a broken provider for every case', () => {
    const runner = new CollectingRunner();
    vectorMemoryContract('any', () => new SimpleMemory(), { runner });
    expect(runner.tests.map(({ name }) => name)).toEqual(Object.keys(broken));
  });

  it.each(Object.entries(broken))('%s: fails on a provider that does not', async (name, Broken) => {
    const runner = new CollectingRunner();
    vectorMemoryContract('broken', () => new Broken(), { runner });
    expect([...(await runner.failures()).keys()]).toContain(name);
  });

  it('asks a memory without cosine for nothing that needs it', async () => {
    const runner = new CollectingRunner();
    class InnerProductMemory extends SimpleMemory {
      protected override checkDirection(): void {}
      protected override similarity(a: number[], b: number[]): number {
        return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
      }
    }
    vectorMemoryContract('InnerProductMemory', () => new InnerProductMemory(), {
      runner,
      capabilities: { cosine: false },
    });
    expect([...(await runner.failures())]).toEqual([]);
  });
});
