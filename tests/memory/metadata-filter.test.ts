import { ValidationError } from '@safla/sdk/core';
import { LocalVectorMemory, type MetadataFilter } from '@safla/sdk/memory';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const notes = {
  a: { kind: 'note', stars: 5, tags: ['new', 'red'], author: { name: 'Ada', age: 36 }, at: new Date(3_000) },
  b: { kind: 'note', stars: 1, tags: [], author: { name: 'Bob' }, at: new Date(1_000), done: null },
  c: { kind: 'task', stars: '5', tags: 'red', at: 3_000 },
  d: undefined,
};

async function matching(filter: MetadataFilter): Promise<string> {
  const memory = new LocalVectorMemory();
  for (const [id, metadata] of Object.entries(notes)) await memory.store(id, [1, 1], metadata);
  return (await memory.search([1, 0], { filter })).map(({ id }) => id).join('');
}

function nested(depth: number): MetadataFilter {
  let filter: MetadataFilter = { stars: 5 };
  for (let i = 0; i < depth; i++) filter = { $not: filter };
  return filter;
}

function cyclic(): MetadataFilter {
  const filter: { $and: MetadataFilter[] } = { $and: [] };
  filter.$and.push(filter, filter);
  return filter;
}

describe('a metadata filter', () => {
  it.each<[string, MetadataFilter, string]>([
    ['a plain value is equality, without conversion', { stars: 5 }, 'a'],
    ['$eq', { kind: { $eq: 'note' } }, 'ab'],
    ['null equals null only, not what is missing', { done: null }, 'b'],
    ['$ne holds where the field is missing', { kind: { $ne: 'note' } }, 'cd'],
    ['$in', { stars: { $in: [1, '5'] } }, 'bc'],
    ['$in of nothing', { stars: { $in: [] } }, ''],
    ['$nin holds where the field is missing', { stars: { $nin: [1, 5] } }, 'cd'],
    ['$gt orders numbers only among numbers', { stars: { $gt: 0 } }, 'ab'],
    ['a range', { stars: { $gte: 1, $lt: 5 } }, 'b'],
    ['$lte of texts', { 'author.name': { $lte: 'Ada' } }, 'a'],
    ['dates by time, only among dates', { at: { $gt: new Date(2_000) } }, 'a'],
    ['an equal date', { at: new Date(1_000) }, 'b'],
    ['$exists', { 'author.age': { $exists: true } }, 'a'],
    ['$exists: null is there', { done: { $exists: true } }, 'b'],
    ['$exists: false', { author: { $exists: false } }, 'cd'],
    ['an element of an array', { tags: 'red' }, 'ac'],
    ['$nin over arrays looks at all elements', { tags: { $nin: ['new'] } }, 'bcd'],
    ['all fields must hold', { kind: 'note', stars: 1 }, 'b'],
    ['$and', { $and: [{ kind: 'note' }, { stars: 5 }] }, 'a'],
    ['$or', { $or: [{ kind: 'task' }, { stars: 1 }] }, 'bc'],
    ['$not', { $not: { kind: 'note' } }, 'cd'],
    ['$not of $not, many times over', nested(60), 'a'],
    ['nothing asked', {}, 'abcd'],
    ['properties every object has are no fields', { 'constructor.name': 'Object' }, ''],
  ])('%s', async (_, filter, expected) => {
    expect(await matching(filter)).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['an unknown operator', { stars: { $above: 3 } }],
    ['an inherited name as operator', { stars: { toString: 3 } }],
    ['an unknown operator between fields', { $nor: [] }],
    ['an object to compare with', { author: { name: 'Ada' } }],
    ['an array to compare with', { tags: ['red'] }],
    ['NaN', { stars: Number.NaN }],
    ['an order of booleans', { done: { $gt: true } }],
    ['$in without an array', { stars: { $in: 5 } }],
    ['$or without an array', { $or: {} }],
    ['$exists without a boolean', { stars: { $exists: 1 } }],
    ['a text', 'stars'],
    ['a function', { stars: () => 1 }],
    ['a filter nested without end', nested(100_000)],
    ['a filter that holds itself', cyclic()],
  ])('refuses %s', async (_, filter) => {
    await expect(matching(filter as MetadataFilter)).rejects.toBeInstanceOf(ValidationError);
  });

  it('loses no hit, however few match: the result is that of searching the matching ones alone', async () => {
    const item = fc.record({ vector: fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer()), group: fc.nat(9) });
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 80 }), fc.nat(9), async (items, group) => {
        const [all, some] = [new LocalVectorMemory(), new LocalVectorMemory()];
        for (const [n, { vector, group: own }] of items.entries()) {
          await all.store(`v${n}`, vector, { group: own });
          if (own === group) await some.store(`v${n}`, vector, { group: own });
        }
        const ids = async (found: ReturnType<LocalVectorMemory['search']>): Promise<string[]> =>
          (await found).map(({ id }) => id);
        expect(await ids(all.search([1, 2], { limit: 5, filter: { group } }))).toEqual(
          await ids(some.search([1, 2], 5)),
        );
      }),
      { numRuns: 100 },
    );
  });
});
