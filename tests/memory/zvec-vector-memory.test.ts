import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vectorMemoryContract } from '@safla/sdk/testing/vitest';
import { afterAll, describe, expect, it } from 'vitest';
import { similarityOf } from '../../src/memory/local/similarity.js';
import { ZvecVectorMemory } from '../../src/memory/zvec/index.js';

const root = mkdtempSync(join(tmpdir(), 'safla-zvec-'));
let folders = 0;
const path = (): string => {
  folders += 1;
  return join(root, String(folders));
};
afterAll(() => rmSync(root, { recursive: true, force: true }));

vectorMemoryContract('ZvecVectorMemory', () => new ZvecVectorMemory({ path: path(), dimension: 3 }));
vectorMemoryContract(
  'ZvecVectorMemory by index',
  () => new ZvecVectorMemory({ path: path(), dimension: 3, exactBelow: 0 }),
);

const ids = (hits: readonly { id: string }[]): string[] => hits.map(({ id }) => id);

describe('ZvecVectorMemory', () => {
  it('has after a restart what it had before, in each namespace', async () => {
    const folder = path();
    {
      await using memory = new ZvecVectorMemory({
        path: folder,
        model: 'm1',
        embed: (texts) => texts.map(() => [1, 2]),
      });
      await memory.store('a', 'hello', { deep: { n: [1] } }, { importance: 0.5 });
      await memory.store('a', [2, 1], undefined, { namespace: 't', text: 'kept' });
      await memory.store('late', [2, 1], undefined, { ttlMs: 1 });
      const second = new ZvecVectorMemory({ path: folder });
      await expect(second.count()).rejects.toMatchObject({ name: 'MemoryStorageError', kind: 'locked' });
      await second.close();
    }
    await using memory = new ZvecVectorMemory({ path: folder });
    expect(await memory.retrieve('a')).toMatchObject({
      text: 'hello',
      importance: 0.5,
      metadata: { deep: { n: [1] } },
    });
    expect(await memory.search([1, 1], { namespace: 't' })).toMatchObject([{ id: 'a', text: 'kept', vector: [2, 1] }]);
    expect(await memory.retrieve('late')).toBeNull();
    expect(await memory.count()).toBe(1);
    await memory.close();
    await expect(memory.count()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it.each(['exact', 'index'])('keeps filters at recall 1 by fields and by any metadata (%s)', async (way) => {
    await using memory = new ZvecVectorMemory({
      path: path(),
      fields: { place: 'number' },
      exactBelow: way === 'exact' ? 10_000 : 0,
      efSearch: 500,
    });
    const vectorOf = (i: number): number[] => Array.from({ length: 8 }, (_, j) => Math.sin(i * 12.9898 + j * 78.233));
    const rows = Array.from({ length: 2_000 }, (_, i) => ({
      id: `v${i}`,
      vector: vectorOf(i),
      metadata: { place: i % 1_000, other: [i % 1_000] },
    }));
    await memory.storeMany(rows);
    await memory.optimize();
    const similarity = similarityOf('cosine', Float64Array.from(vectorOf(0.5)));
    for (const field of ['place', 'other']) {
      for (const share of [0.5, 0.1, 0.01, 0.001]) {
        const expected = rows
          .filter((row) => row.metadata.place < share * 1_000)
          .map((row) => ({ id: row.id, similarity: similarity(row.vector) }))
          .sort((a, b) => b.similarity - a.similarity)
          .slice(0, 10);
        const found = ids(await memory.search(vectorOf(0.5), { filter: { [field]: { $lt: share * 1_000 } } }));
        expect(found, `${field} ${share}`).toEqual(ids(expected));
      }
    }
    expect(await memory.count({ filter: { other: { $lt: 10 } } })).toBe(20);
  });

  it('refuses folders of another dimension, metric, model, and of others, and field values of another type', async () => {
    const folder = path();
    {
      await using memory = new ZvecVectorMemory({ path: folder, model: 'm1', fields: { kind: 'text' } });
      await memory.store('a', [1, 2], { kind: "it's" });
      await expect(memory.store('b', [1, 2], { kind: 3 })).rejects.toMatchObject({ code: 'VALIDATION' });
      expect(ids(await memory.search([1, 2], { filter: { kind: "it's" } }))).toEqual(['a']);
      expect(ids(await memory.search([1, 2], { filter: { kind: 'other' } }))).toEqual([]);
    }
    for (const options of [{ dimension: 3 }, { metric: 'dot' as const }, { model: 'm2' }]) {
      await using other = new ZvecVectorMemory({ path: folder, ...options });
      await expect(other.count()).rejects.toMatchObject({ name: 'MemoryStorageError', kind: 'mismatch' });
    }
    writeFileSync(join(root, 'memory.json'), '{}');
    await using foreign = new ZvecVectorMemory({ path: root });
    await expect(foreign.count()).rejects.toMatchObject({ kind: 'foreign' });
  });

  it('finds nothing before the first vector and makes no folder for that', async () => {
    await using memory = new ZvecVectorMemory({ path: path() });
    expect(await memory.search([1, 2])).toEqual([]);
    expect([await memory.retrieve('a'), await memory.delete('a'), await memory.count()]).toEqual([null, false, 0]);
  });
});
