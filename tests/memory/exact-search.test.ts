import { LocalVectorMemory } from '@safla/sdk/memory';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { assembleKernel } from '../../scripts/build-kernel.js';
import { kernelBytes } from '../../src/memory/local/scan/kernel-bytes.js';
import { codeRow } from '../../src/memory/local/scan/quantise.js';
import { RowCodes } from '../../src/memory/local/scan/row-codes.js';
import { ScanQuery } from '../../src/memory/local/scan/scan-query.js';

type Metric = 'cosine' | 'dot' | 'euclidean';

/** A small generator of its own, so that a failure can be repeated (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What is asked for, in the plainest float64 arithmetic over the stored float32 rows. */
function reference(metric: Metric, rows: readonly Float32Array[], query: readonly number[]): [string, number][] {
  const scored = rows.map((row, index): [string, number] => {
    let [product, own, asked, distance] = [0, 0, 0, 0];
    for (let i = 0; i < row.length; i++) {
      const [x, q] = [row[i] as number, query[i] as number];
      product += x * q;
      own += x * x;
      asked += q * q;
      distance += (x - q) ** 2;
    }
    const similarity = {
      cosine: product / Math.sqrt(own * asked),
      dot: product,
      euclidean: 1 / (1 + Math.sqrt(distance)),
    };
    return [idOf(index), similarity[metric]];
  });
  return scored.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

const idOf = (index: number): string => `v${String(index).padStart(6, '0')}`;

/** Rows of several shapes: spread, in clusters, with lengths that differ by orders, with doubles. */
function makeRows(count: number, dimension: number, next: () => number): Float32Array[] {
  const centres = Array.from({ length: 8 }, () => Array.from({ length: dimension }, () => next() * 2 - 1));
  return Array.from({ length: count }, (_, index) => {
    const centre = centres[index % 8] as number[];
    const spread = index % 3 === 0 ? 1 : 0.01;
    const size = 10 ** ((index % 5) - 2);
    return Float32Array.from(centre, (c) => (c + (next() - 0.5) * spread) * size);
  });
}

describe.each(['by the kernel', 'without WebAssembly'])('exact search %s', (way) => {
  beforeEach(() => {
    if (way === 'without WebAssembly') vi.stubGlobal('WebAssembly', undefined);
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is what this says', () => {
    expect(RowCodes.create('cosine', 3, 4) === undefined).toBe(way === 'without WebAssembly');
  });

  it.each<[Metric, number, number]>([
    ['cosine', 5_000, 32],
    ['cosine', 17_000, 7],
    ['dot', 3_000, 33],
    ['euclidean', 3_000, 48],
    ['euclidean', 1_500, 1],
    ['dot', 1_500, 1_537],
  ])('%s finds of %i rows of %i components what float64 arithmetic finds', async (metric, count, dimension) => {
    const next = random(count + dimension);
    const rows = makeRows(count, dimension, next);
    const memory = new LocalVectorMemory({ metric });
    await memory.storeMany(rows.map((vector, index) => ({ id: idOf(index), vector })));
    for (let round = 0; round < 12; round++) {
      const near = rows[Math.floor(next() * count)] as Float32Array;
      const query = Array.from(near, (x) => x + (round % 2) * (next() - 0.5) * 0.1);
      const limit = [1, 10, 100][round % 3] as number;
      const expected = reference(metric, rows, query).slice(0, limit);
      const hits = await memory.search(query, limit);
      expect(hits.length).toBe(limit);
      for (const [place, hit] of hits.entries()) {
        const [id, similarity] = expected[place] as [string, number];
        const error = Math.abs((hit.similarity as number) - similarity);
        expect(error).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(similarity)));
        // Where rounding alone decides, either order is right.
        const tied = expected.some(
          ([other, s]) => other === hit.id && Math.abs(s - similarity) <= 1e-12 * Math.max(1, Math.abs(s)),
        );
        expect(hit.id === id || tied, `${place}: ${hit.id} instead of ${id}`).toBe(true);
      }
    }
  });

  it('orders the same vector under many ids by id, and forgets what was deleted', async () => {
    const memory = new LocalVectorMemory();
    const next = random(1);
    const vector = Array.from({ length: 24 }, () => next() - 0.5);
    await memory.storeMany(Array.from({ length: 2_000 }, (_, i) => ({ id: idOf(1_999 - i), vector })));
    for (let i = 0; i < 1_995; i += 2) await memory.delete(idOf(i));
    const hits = await memory.search(vector, 5);
    expect(hits.map(({ id, similarity }) => [id, similarity])).toEqual([1, 3, 5, 7, 9].map((i) => [idOf(i), 1]));
  });

  it('keeps rows that float32 bounds cannot hold, and tiny ones', async () => {
    for (const metric of ['dot', 'euclidean'] as const) {
      const memory = new LocalVectorMemory({ metric });
      const next = random(7);
      const rows = Array.from({ length: 1_500 }, (_, i) =>
        Float32Array.from({ length: 20 }, () => (next() - 0.5) * 10 ** (i % 2 === 0 ? 30 : -40)),
      );
      await memory.storeMany(rows.map((vector, index) => ({ id: idOf(index), vector })));
      for (const row of [0, 1, 2, 3]) {
        const query = Array.from(rows[row] as Float32Array);
        const expected = reference(metric, rows, query)[0] as [string, number];
        const found = (await memory.search(query, 1))[0]?.similarity as number;
        expect(Math.abs(found - expected[1])).toBeLessThanOrEqual(1e-12 * Math.abs(expected[1]));
      }
      expect(await memory.search(new Array(20).fill(0), 3)).toHaveLength(3);
    }
  });

  it.each(['dot', 'euclidean'] as const)(
    '%s ranks by a query whose length is too small for float64',
    async (metric) => {
      const memory = new LocalVectorMemory({ metric });
      const next = random(5);
      const rows = Array.from({ length: 1_000 }, () => Float32Array.from({ length: 6 }, () => next() - 0.5));
      await memory.storeMany(rows.map((vector, index) => ({ id: idOf(index), vector })));
      const query = [1e-170, 0, 0, 0, 0, 0];
      const best = rows.map(([x = 0], index) => ({ id: idOf(index), x })).sort((a, b) => b.x - a.x);
      const ids = (await memory.search(query, 5)).map(({ id }) => id);
      if (metric === 'dot') expect(ids).toEqual(best.slice(0, 5).map(({ id }) => id));
      else
        expect(ids).toEqual(
          reference(metric, rows, query)
            .slice(0, 5)
            .map(([id]) => id),
        );
    },
  );
});

describe('codes', () => {
  it('never bounds a score from below: every row within reach is looked at', () => {
    const next = random(3);
    for (const metric of ['cosine', 'dot', 'euclidean'] as const) {
      const codes = RowCodes.create(metric, 40, 2_048) as RowCodes;
      const rows = makeRows(2_000, 40, next);
      const norm = (row: ArrayLike<number>): number => Array.from(row).reduce((sum, x) => sum + x * x, 0);
      for (const [index, row] of rows.entries()) codes.set(index, row, norm(row));
      for (let round = 0; round < 20; round++) {
        const query = Float64Array.from({ length: 40 }, () => next() - 0.5);
        const scan = new ScanQuery(metric, query);
        const score = (row: Float32Array): number => {
          const product = row.reduce((sum, x, i) => sum + x * (query[i] as number), 0);
          if (metric === 'dot') return product;
          if (metric === 'cosine') return product / Math.sqrt(norm(row) * norm(query));
          return -row.reduce((sum, x, i) => sum + (x - (query[i] as number)) ** 2, 0);
        };
        const scores = rows.map(score);
        const least = scores.toSorted((a, b) => b - a)[15] as number;
        codes.load(scan);
        const seen = new Set([...codes.candidates(scan, 0, 2_000, scan.least(least))]);
        const wanted = scores.flatMap((s, index) => (s >= least ? index : []));
        expect(wanted.filter((index) => !seen.has(index))).toEqual([]);
        expect(seen.size).toBeLessThan(1_000);
        const listed = codes.candidatesOf(scan, wanted, scan.least(least));
        expect([...listed]).toEqual(wanted);
      }
    }
  });

  it('says how much a code lost', () => {
    const row = Float32Array.from([1, -0.5, 0.003, 0]);
    const codes = new Int8Array(4);
    const { scale, error } = codeRow(row, codes, 0);
    const lost = Array.from(row, (x, i) => x - (codes[i] as number) * scale);
    expect(error).toBeCloseTo(Math.hypot(...lost), 12);
    expect(Math.max(...codes)).toBe(127);
  });

  it('runs the kernel that is written in kernel.wat', async () => {
    expect(Buffer.from(await assembleKernel()).toString('base64')).toBe(kernelBytes);
  });
});
