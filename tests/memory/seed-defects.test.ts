import { ValidationError } from '@safla/sdk/core';
import { type Embedding, LocalVectorMemory } from '@safla/sdk/memory';
import { describe, expect, it } from 'vitest';

const invalid = expect.objectContaining({ code: 'VALIDATION' });

/** Each is what the sketch this package grew from did wrong, or got right without saying so. */
describe('defects of the sketch', () => {
  it('1: a query longer than the rows is refused, where it gave NaN', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0]);
    await expect(memory.search([1, 0, 0])).rejects.toBeInstanceOf(ValidationError);
  });

  it('2: a query shorter than the rows is refused, where further components were ignored', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0, 5]);
    await expect(memory.search([1, 0])).rejects.toBeInstanceOf(ValidationError);
  });

  it('3: a zero vector is refused under cosine, and stored under the other metrics', async () => {
    const memory = new LocalVectorMemory();
    await expect(memory.store('a', [0, 0])).rejects.toEqual(invalid);
    await memory.store('a', [1, 0]);
    await expect(memory.search([0, 0])).rejects.toEqual(invalid);
    for (const metric of ['dot', 'euclidean'] as const) {
      const other = new LocalVectorMemory({ metric });
      await other.store('a', [0, 0]);
      expect(await other.search([0, 0])).toMatchObject([{ id: 'a', similarity: metric === 'dot' ? 0 : 1 }]);
    }
  });

  it.each([
    ['4: NaN', Number.NaN],
    ['5: Infinity', Number.POSITIVE_INFINITY],
    ['5: -Infinity', Number.NEGATIVE_INFINITY],
  ])('%s in a vector or query is refused, with its place', async (_, component) => {
    const memory = new LocalVectorMemory();
    await expect(memory.store('a', [1, component])).rejects.toMatchObject({ issues: [{ path: [1] }] });
    await memory.store('a', [1, 0]);
    await expect(memory.search([component, 1])).rejects.toMatchObject({ issues: [{ path: [0] }] });
  });

  it.each([
    ['6: components of 1e200', 1e200],
    ['7: components of 1e-200', 1e-200],
    ['the largest number', Number.MAX_VALUE],
    ['the smallest number', Number.MIN_VALUE],
    ['numbers that only float32 cannot hold', 1e-42],
  ])('%s have a cosine like any other', async (_, size) => {
    const memory = new LocalVectorMemory();
    await memory.store('same', [size, 0]);
    await memory.store('diagonal', [size, size]);
    await memory.store('plain', [-3, 0]);
    for (const query of [
      [size, 0],
      [2, 0],
    ]) {
      const hits = await memory.search(query);
      expect(hits.map(({ id }) => id)).toEqual(['same', 'diagonal', 'plain']);
      expect(hits[0]?.similarity).toBe(1);
      expect(hits[1]?.similarity).toBeCloseTo(Math.SQRT1_2, 7);
      expect(hits[2]?.similarity).toBe(-1);
    }
  });

  it('6: components beyond float32 are refused under dot and euclidean, which cannot rescale them', async () => {
    for (const metric of ['dot', 'euclidean'] as const) {
      const memory = new LocalVectorMemory({ metric });
      await expect(memory.store('a', [1e200])).rejects.toEqual(invalid);
      await memory.store('a', [1e-200]);
      await expect(memory.search([1e39])).rejects.toEqual(invalid);
      expect(await memory.search([1])).toHaveLength(1);
    }
  });

  it('8: every stored vector is a hit without a threshold, whatever its similarity', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('opposite', [-1, 0]);
    await memory.store('same', [1, 0]);
    expect(await memory.search([1, 0], 10, -1)).toHaveLength(2);
    expect(await memory.search([1, 0])).toHaveLength(2);
  });

  it('9: changing the array and metadata after store changes nothing', async () => {
    const memory = new LocalVectorMemory();
    const [vector, metadata] = [[1, 0], { tags: ['a'] }];
    const stored = memory.store('a', vector, metadata);
    vector[0] = -1;
    metadata.tags.push('b');
    await stored;
    expect(await memory.search([1, 0], 1, 0.99)).toMatchObject([{ id: 'a', metadata: { tags: ['a'] } }]);
  });

  it('10: changing what retrieve and search gave changes nothing', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0], { deep: { n: 1 } });
    const given = [await memory.retrieve('a'), ...(await memory.search([1, 0]))] as Embedding[];
    for (const embedding of given) {
      embedding.vector[0] = 99;
      (embedding.metadata?.deep as { n: number }).n = 99;
    }
    expect(await memory.retrieve('a')).toMatchObject({ vector: [1, 0], metadata: { deep: { n: 1 } } });
  });

  it.each([
    ['11: a limit of -1', -1],
    ['12: a limit of 0', 0],
    ['13: a limit of NaN', Number.NaN],
    ['a limit of 1.5', 1.5],
    ['a limit of -Infinity', Number.NEGATIVE_INFINITY],
  ])('%s is refused', async (_, limit) => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0]);
    await expect(memory.search([1, 0], limit)).rejects.toBeInstanceOf(ValidationError);
    await expect(memory.search([1, 0], { limit })).rejects.toBeInstanceOf(ValidationError);
  });

  it.each([
    ['14: a limit of Infinity', Number.POSITIVE_INFINITY],
    ['a limit of 1e9', 1e9],
  ])('%s gives all', async (_, limit) => {
    const memory = new LocalVectorMemory();
    for (let n = 0; n < 25; n++) await memory.store(`v${n}`, [1, n]);
    expect(await memory.search([1, 0], limit)).toHaveLength(25);
  });

  it('a threshold of NaN is refused', async () => {
    const memory = new LocalVectorMemory();
    await expect(memory.search([1, 0], 10, Number.NaN)).rejects.toBeInstanceOf(ValidationError);
  });

  it('15: a hit has its similarity, a retrieved row has none', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0], { title: 'A' });
    const [hit] = await memory.search([1, 0]);
    expect(Object.keys(hit ?? {}).sort()).toEqual(['id', 'metadata', 'similarity', 'timestamp', 'vector']);
    expect(hit?.similarity).toBe(1);
    expect(await memory.retrieve('a')).not.toHaveProperty('similarity');
  });

  it('16: an identical vector has the similarity 1 and passes a threshold of 1, also after rounding', async () => {
    const memory = new LocalVectorMemory();
    for (let n = 0; n < 50; n++) {
      const vector = Array.from({ length: 384 }, (_, i) => Math.sin((i + 1) * (n + 3)) / 7);
      await memory.store(`v${n}`, vector);
      expect(await memory.search(vector, 10, 1)).toMatchObject([{ id: `v${n}`, similarity: 1 }]);
      expect(
        (
          await memory.search(
            vector.map((x) => -x),
            50,
          )
        ).at(-1),
      ).toMatchObject({ id: `v${n}`, similarity: -1 });
    }
  });

  it('17: equal similarities are ordered by id, whatever the order of storing', async () => {
    const memory = new LocalVectorMemory();
    for (const id of ['t2', 't0', 't3', 't1']) await memory.store(id, [1, 1]);
    expect((await memory.search([1, 0], 3)).map(({ id }) => id)).toEqual(['t0', 't1', 't2']);
  });
});
