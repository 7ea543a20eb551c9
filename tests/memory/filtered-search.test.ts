import { LocalVectorMemory, type MetadataFilter } from '@safla/sdk/memory';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/memory/local/filter/metadata-filter.js';
import { MetadataIndex } from '../../src/memory/local/filter/metadata-index.js';

type Metadata = Record<string, unknown>;

const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom('a', 'b', 'c'),
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: 0, max: 3 }).map((ms) => new Date(ms)),
);
const metadata = fc.record(
  { x: fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), n: fc.record({ y: scalar }) },
  { requiredKeys: [] },
);
const bound = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom('a', 'b', 'c'),
  fc.integer({ min: 0, max: 3 }).map((ms) => new Date(ms)),
);
const condition = fc.oneof(
  scalar,
  fc.record({ $eq: scalar }),
  fc.record({ $ne: scalar }),
  fc.record({ $in: fc.array(scalar, { maxLength: 4 }) }),
  fc.record({ $nin: fc.array(scalar, { maxLength: 2 }) }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $gt: bound, $gte: bound, $lt: bound, $lte: bound }, { requiredKeys: [] }),
);
const { filter } = fc.letrec<{ filter: MetadataFilter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    fc.record({ x: condition, 'n.y': condition }, { requiredKeys: [] }) as fc.Arbitrary<MetadataFilter>,
    fc.record({ $and: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ $or: fc.array(tie('filter'), { maxLength: 3 }) }),
    fc.record({ $not: tie('filter') }),
  ),
}));

describe('metadata index', () => {
  it('leaves no match out, also after changes', () => {
    fc.assert(
      fc.property(
        fc.array(metadata, { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.array(filter, { maxLength: 4 }),
        (all, changes, filters) => {
          const index = new MetadataIndex();
          const rows = new Map<number, Metadata>(all.map((item, row) => [row, item]));
          for (const [row, item] of rows) index.add(row, item);
          for (const [round, wanted] of filters.entries()) {
            const accepts = compileFilter(wanted);
            const plan = index.plan(wanted, () => rows);
            const matches = [...rows].filter(([, item]) => accepts(item)).map(([row]) => row);
            if (plan) {
              const listed = [...plan.rows()];
              expect(new Set(listed).size).toBe(listed.length);
              expect(listed.length).toBeLessThanOrEqual(plan.size);
              expect(matches.filter((row) => !listed.includes(row))).toEqual([]);
            }
            for (const change of changes.slice(round * 5, round * 5 + 5)) {
              const row = change % (all.length + 1);
              const held = rows.get(row);
              if (held) index.remove(row, held);
              rows.delete(row);
              const next = all[(change * 7) % (all.length || 1)];
              if (change % 3 === 0 || !next) continue;
              rows.set(row, next);
              index.add(row, next);
            }
          }
        },
      ),
    );
  });

  it('lists few rows for values and ranges that few rows have', () => {
    const index = new MetadataIndex();
    const rows = Array.from({ length: 5_000 }, (_, row): [number, Metadata] => [
      row,
      { n: row, at: new Date(row), kind: row % 100 },
    ]);
    const sizes = (wanted: MetadataFilter): number | undefined => index.plan(wanted, () => rows)?.size;
    expect(sizes({ kind: 3 })).toBe(50);
    expect(sizes({ kind: { $in: [3, 4] }, n: { $gte: 4_990 } })).toBe(10);
    expect(sizes({ at: { $gte: new Date(10), $lt: new Date(20) } })).toBe(11);
    expect(sizes({ $or: [{ kind: 3 }, { n: 5 }] })).toBe(51);
    expect(sizes({ $and: [{ kind: 3 }, { $not: { n: 5 } }] })).toBe(50);
    expect(sizes({ kind: 'none' })).toBe(0);
    expect(sizes({ n: { $ne: 3 } })).toBeUndefined();
    expect(sizes({ $or: [{ kind: 3 }, { n: { $ne: 3 } }] })).toBeUndefined();
  });
});

describe('filtered search', () => {
  it.each([0.5, 0.1, 0.01, 0.001])('finds the same as looking at all, where %d match', async (share) => {
    const count = 6_000;
    const modulus = Math.round(1 / share);
    const memory = new LocalVectorMemory();
    const vectorOf = (i: number): number[] => Array.from({ length: 12 }, (_, j) => Math.sin(i * 12.9898 + j * 78.233));
    await memory.storeMany(
      Array.from({ length: count }, (_, i) => ({
        id: `v${i}`,
        vector: vectorOf(i),
        metadata: { bucket: i % modulus, name: `n${i}` },
      })),
    );
    for (let round = 0; round < 5; round++) {
      const query = vectorOf(round + 0.5);
      const everything = await memory.search(query, { limit: Number.POSITIVE_INFINITY });
      const expected = everything.filter(({ metadata: held }) => held?.bucket === 0).slice(0, 10);
      expect(await memory.search(query, { limit: 10, filter: { bucket: 0 } })).toEqual(expected);
      expect(await memory.search(query, { limit: 10, filter: { $not: { bucket: { $ne: 0 } } } })).toEqual(expected);
      await memory.delete(expected[0]?.id as string);
    }
  });
});
