import { PostgresDatabase } from '@safla/sdk/database';
import { type MetadataFilter, PostgresVectorMemory, type SqlDatabase, type SqlSession } from '@safla/sdk/memory';
import { vectorMemoryContract } from '@safla/sdk/testing/vitest';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/memory/local/filter/metadata-filter.js';
import { similarityOf } from '../../src/memory/local/similarity.js';

const db = new PostgresDatabase({ url: 'memory:', extensions: ['vector'] });
let tables = 0;
const table = (): string => {
  tables += 1;
  return `memory_${tables}`;
};
beforeAll(async () => {
  await db.query('select 1');
}, 120_000);
afterAll(() => db.close());

vectorMemoryContract('PostgresVectorMemory', () => new PostgresVectorMemory({ db, table: table(), dimension: 3 }));
vectorMemoryContract(
  'PostgresVectorMemory by index',
  () => new PostgresVectorMemory({ db, table: table(), dimension: 3, exactBelow: 0 }),
);

const ids = (hits: readonly { id: string }[]): string[] => hits.map(({ id }) => id);

describe('PostgresVectorMemory', () => {
  it('keeps filters at recall 1, whether few or many rows match', async () => {
    const memory = new PostgresVectorMemory({ db, table: table(), exactBelow: 200 });
    const vectorOf = (i: number): number[] => Array.from({ length: 8 }, (_, j) => Math.sin(i * 12.9898 + j * 78.233));
    const rows = Array.from({ length: 2_500 }, (_, i) => ({
      id: `v${String(i).padStart(4, '0')}`,
      vector: vectorOf(i),
      metadata: { place: i % 1_000 },
    }));
    await memory.storeMany(rows);
    for (const share of [1, 0.5, 0.1, 0.01, 0.001]) {
      const filter = { place: { $lt: share * 1_000 } };
      const similarity = similarityOf('cosine', Float64Array.from(vectorOf(0.5)));
      const expected = rows
        .filter((row) => row.metadata.place < share * 1_000)
        .map((row) => ({ id: row.id, similarity: similarity(row.vector) }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, 10);
      const found = ids(await memory.search(vectorOf(0.5), { filter }));
      const recall = expected.filter(({ id }) => found.includes(id)).length / expected.length;
      // Above 200 rows the index answers: of 2,500 it finds these ten.
      expect(recall, `${share}`).toBe(1);
      expect(await memory.count({ filter })).toBe(rows.filter((row) => row.metadata.place < share * 1_000).length);
    }
    await memory.close();
  });

  it('asks the index for many rows and looks at all of few', async () => {
    const name = table();
    const plans: string[] = [];
    const noting =
      (session: SqlSession): SqlSession['query'] =>
      (text, values) => {
        plans.push(text);
        return session.query(text, values);
      };
    const spy: SqlDatabase = {
      query: noting(db),
      transaction: (fn) => db.transaction((tx) => fn({ query: noting(tx) })),
    };
    const memory = new PostgresVectorMemory({ db: spy, table: name, exactBelow: 5 });
    await memory.storeMany(Array.from({ length: 10 }, (_, i) => ({ id: `v${i}`, vector: [1, i], metadata: { i } })));
    plans.length = 0;
    await memory.search([1, 0]);
    expect(plans.some((text) => text.includes('hnsw.ef_search'))).toBe(true);
    plans.length = 0;
    await memory.search([1, 0], { filter: { i: { $lt: 3 } } });
    expect(plans.some((text) => text.includes('hnsw'))).toBe(false);
    expect(plans.some((text) => text.includes('materialized'))).toBe(true);
  });

  it('looks at all rows where the extension is older than its iterative scan', async () => {
    const asked: string[] = [];
    const old: SqlDatabase = {
      query: async (text, values) => {
        asked.push(text);
        return text.includes('extversion') ? [{ extversion: '0.7.4' }] : await db.query(text, values);
      },
      transaction: (fn) => db.transaction(fn),
    };
    const memory = new PostgresVectorMemory({ db: old, table: table(), exactBelow: 0 });
    await memory.storeMany(Array.from({ length: 10 }, (_, i) => ({ id: `v${i}`, vector: [1, i] })));
    expect(ids(await memory.search([1, 3], 2))).toEqual(['v3', 'v4']);
    expect(asked.some((text) => text.includes('materialized'))).toBe(true);
    expect(asked.some((text) => text.includes('hnsw.ef_search'))).toBe(false);
  });

  it('matches the same metadata as the predicate', async () => {
    const scalar = fc.oneof(
      fc.integer({ min: -2, max: 2 }),
      fc.constantFrom('a', 'B', 'ä', ''),
      fc.constant(null),
      fc.boolean(),
    );
    const metadata = fc.record(
      { x: fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), n: fc.record({ y: scalar }), 'o\'d"d': scalar },
      { requiredKeys: [] },
    );
    const bound = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom('a', 'B', 'ä', Number.POSITIVE_INFINITY));
    const condition = fc.oneof(
      scalar,
      fc.record({ $ne: scalar }),
      fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
      fc.record({ $nin: fc.array(scalar, { maxLength: 2 }) }),
      fc.record({ $exists: fc.boolean() }),
      fc.record({ $gt: bound, $gte: bound, $lt: bound, $lte: bound }, { requiredKeys: [] }),
    );
    const { filter } = fc.letrec<{ filter: MetadataFilter }>((tie) => ({
      filter: fc.oneof(
        { depthSize: 'small' },
        fc.record(
          { x: condition, 'n.y': condition, 'o\'d"d': condition },
          { requiredKeys: [] },
        ) as fc.Arbitrary<MetadataFilter>,
        fc.record({ $and: fc.array(tie('filter'), { maxLength: 2 }) }),
        fc.record({ $or: fc.array(tie('filter'), { maxLength: 2 }) }),
        fc.record({ $not: tie('filter') }),
      ),
    }));
    const memory = new PostgresVectorMemory({ db, table: table(), hnsw: false });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(metadata, { minLength: 1, maxLength: 25 }),
        fc.array(filter, { minLength: 1, maxLength: 5 }),
        async (all, filters) => {
          round += 1;
          const namespace = `r${round}`;
          await memory.storeMany(
            all.map((one, i) => ({ id: `v${i}`, vector: [1], ...(i % 5 === 0 ? {} : { metadata: one }) })),
            { namespace },
          );
          for (const wanted of filters) {
            const accepts = compileFilter(wanted);
            const expected = all.flatMap((one, i) => (accepts(i % 5 === 0 ? undefined : one) ? `v${i}` : [])).sort();
            const hits = await memory.search([1], { namespace, filter: wanted, limit: 100 });
            expect(ids(hits).sort(), JSON.stringify(wanted)).toEqual(expected);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has what another process stored, in each namespace, with texts, importance and time to live', async () => {
    const name = table();
    const embed = (texts: readonly string[]): number[][] => texts.map((text) => [text.length, 1]);
    const first = new PostgresVectorMemory({ db, table: name, embed, model: 'm1' });
    await first.store('a', 'hello', { at: new Date(0) }, { importance: 0.5 });
    await first.store('b', [1, 1], undefined, { namespace: 't', text: 'kept' });
    await first.store('late', [1, 1], undefined, { ttlMs: 1 });
    await first.close();
    await expect(first.count()).rejects.toMatchObject({ code: 'CLOSED' });
    const second = new PostgresVectorMemory({ db, table: name, embed });
    expect(await second.retrieve('a')).toMatchObject({
      text: 'hello',
      importance: 0.5,
      metadata: { at: '1970-01-01T00:00:00.000Z' },
    });
    expect(ids(await second.search('hello', 5))).toEqual(['a']);
    expect(await second.retrieve('b')).toBeNull();
    expect(await second.retrieve('b', { namespace: 't' })).toMatchObject({ text: 'kept', vector: [1, 1] });
    expect(await second.retrieve('late')).toBeNull();
    expect(await second.delete('late')).toBe(false);
    expect(await second.deleteWhere({ at: { $lt: new Date(5) } })).toBe(1);
    expect(await second.count()).toBe(0);
  });

  it('refuses a table of another dimension, metric or model, and one that is not its own', async () => {
    const name = table();
    const first = new PostgresVectorMemory({ db, table: name, model: 'm1' });
    await first.store('a', [1, 2]);
    for (const options of [{ dimension: 3 }, { metric: 'dot' as const }, { model: 'm2' }]) {
      const other = new PostgresVectorMemory({ db, table: name, ...options });
      await expect(other.count()).rejects.toMatchObject({ name: 'MemoryStorageError', kind: 'mismatch' });
    }
    await db.query('create table foreign_table (id int)');
    const foreign = new PostgresVectorMemory({ db, table: 'foreign_table' });
    await expect(foreign.store('a', [1])).rejects.toMatchObject({ kind: 'foreign' });
    expect(await first.count()).toBe(1);
  });

  it('keeps by dot product and distance what they mean, and extreme vectors under cosine', async () => {
    const dot = new PostgresVectorMemory({ db, table: table(), metric: 'dot' });
    await dot.storeMany([
      { id: 'long', vector: [10, 0] },
      { id: 'near', vector: [1, 0] },
    ]);
    expect(await dot.search([2, 0])).toMatchObject([
      { id: 'long', similarity: 20 },
      { id: 'near', similarity: 2 },
    ]);
    const distance = new PostgresVectorMemory({ db, table: table(), metric: 'euclidean' });
    await distance.store('a', [0, 3]);
    expect(await distance.search([4, 0])).toMatchObject([{ similarity: 1 / 6 }]);
    const cosine = new PostgresVectorMemory({ db, table: table() });
    await cosine.store('huge', [1e200, 1e200]);
    await cosine.store('tiny', [1e-200, 0]);
    expect(await cosine.search([1e30, 1e30])).toMatchObject([{ id: 'huge', similarity: 1 }, { id: 'tiny' }]);
  });

  it('finds nothing and deletes nothing before the first vector, and makes no table for that', async () => {
    const name = table();
    const memory = new PostgresVectorMemory({ db, table: name });
    expect(await memory.search([1, 2])).toEqual([]);
    expect([await memory.retrieve('a'), await memory.delete('a'), await memory.count()]).toEqual([null, false, 0]);
    expect(await db.query('select to_regclass($1) as t', [name])).toMatchObject([{ t: null }]);
    expect(() => new PostgresVectorMemory({ db, table: 'a; drop table b' })).toThrow(/table/);
    expect(() => new PostgresVectorMemory({ db, dimension: 3_000, hnsw: {} })).toThrow(/2000/);
  });

  it('one of many that store first makes the table', async () => {
    const name = table();
    const memories = Array.from({ length: 4 }, () => new PostgresVectorMemory({ db, table: name }));
    await Promise.all(memories.map((memory, i) => memory.store(`v${i}`, [1, i])));
    expect(await memories[0]?.count()).toBe(4);
  });
});
