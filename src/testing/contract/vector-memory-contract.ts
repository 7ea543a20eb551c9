import assert from 'node:assert/strict';
import { type ContractSuite, contractSuite, failsWith } from './contract-suite.js';

/** A vector as a provider gives it back; the suite reads no more than this. */
export interface StoredVector {
  readonly id: string;
  readonly vector: number[];
  readonly metadata?: unknown;
  /** When it was stored, in milliseconds since the epoch. */
  readonly timestamp: number;
  /** Set on hits of a search: the higher, the nearer. */
  readonly similarity?: number;
}

/** What the suite calls. Every `VectorMemoryProvider` fits. */
export interface VectorMemorySubject {
  store(id: string, vector: number[], metadata?: Record<string, unknown>): Promise<unknown>;
  retrieve(id: string): Promise<StoredVector | null>;
  search(queryVector: number[], limit?: number, threshold?: number): Promise<StoredVector[]>;
  delete(id: string): Promise<boolean>;
}

/** `cosine`: similarity is the cosine, so a vector without direction cannot be compared. */
export type VectorMemoryCapability = 'cosine';

/** Unit vectors whose nearness to `east` falls in this order by cosine, inner product and distance alike. */
const east = [1, 0, 0];
const northEast = [0.8, 0.6, 0];
const north = [0, 1, 0];
const west = [-1, 0, 0];

/** Lower than any similarity of unit vectors: a provider's own default threshold does not matter. */
const everything = -1;

/**
 * What every vector memory must do: keep copies, overwrite by id, order by similarity and then by
 * id, respect limit and threshold, and refuse what cannot be compared. Subjects hold vectors of 3
 * components.
 *
 * @example vectorMemoryContract('LocalVectorMemory', () => new LocalVectorMemory({ dimension: 3 }));
 */
export const vectorMemoryContract: ContractSuite<VectorMemorySubject, VectorMemoryCapability> = contractSuite(
  'VectorMemoryProvider',
  [
    {
      name: 'gives back what was stored, with the time',
      async run(memory) {
        const before = Date.now();
        await memory.store('a', [0.5, -0.25, 2], { tag: 'x', nested: { deep: [1, null] } });
        const found = await memory.retrieve('a');
        assert.ok(found, 'retrieve gave nothing');
        assert.equal(found.id, 'a');
        assert.deepEqual([...found.vector], [0.5, -0.25, 2]);
        assert.deepEqual(found.metadata, { tag: 'x', nested: { deep: [1, null] } });
        assert.ok(
          found.timestamp >= before - 1_000 && found.timestamp <= Date.now() + 1_000,
          `timestamp ${found.timestamp}`,
        );
      },
    },
    {
      name: 'retrieves null for an unknown id',
      async run(memory) {
        assert.equal(await memory.retrieve('unknown'), null);
        await memory.store('known', east);
        assert.equal(await memory.retrieve('unknown'), null);
      },
    },
    {
      name: 'keeps ids apart that are special elsewhere',
      async run(memory) {
        const ids = [
          '__proto__',
          'constructor',
          'toString',
          '\u00e9',
          'e\u0301',
          '日本',
          'a b',
          'a/b',
          "'; --",
          '0',
          '00',
        ];
        for (const id of ids) await memory.store(id, east, { id });
        for (const id of ids) assert.deepEqual((await memory.retrieve(id))?.metadata, { id }, JSON.stringify(id));
        assert.equal((await memory.search(east, 50, everything)).length, ids.length);
      },
    },
    {
      name: 'stores a copy: changes by the caller afterwards are not seen',
      async run(memory) {
        const vector = [...east];
        const metadata = { tags: ['kept'] };
        await memory.store('a', vector, metadata);
        vector[0] = -1;
        metadata.tags.push('added later');
        const found = await memory.retrieve('a');
        assert.deepEqual([...(found?.vector ?? [])], east);
        assert.deepEqual(found?.metadata, { tags: ['kept'] });
      },
    },
    {
      name: 'gives out copies: changes to a result do not reach the store',
      async run(memory) {
        await memory.store('a', east, { tags: ['kept'] });
        for (const result of [await memory.retrieve('a'), (await memory.search(east, 1, everything))[0]]) {
          assert.ok(result, 'no result');
          result.vector[0] = 99;
          (result.metadata as { tags: string[] }).tags.push('added');
        }
        const found = await memory.retrieve('a');
        assert.deepEqual([...(found?.vector ?? [])], east);
        assert.deepEqual(found?.metadata, { tags: ['kept'] });
      },
    },
    {
      name: 'overwrites by id: the vector, and the metadata also when there is none now',
      async run(memory) {
        await memory.store('a', east, { old: true });
        await memory.store('a', north);
        const found = await memory.retrieve('a');
        assert.deepEqual([...(found?.vector ?? [])], north);
        assert.ok(
          found?.metadata === undefined || Object.keys(found.metadata as object).length === 0,
          'old metadata stayed',
        );
        assert.deepEqual(await idsOf(memory.search(north, 10, everything)), ['a']);
      },
    },
    {
      name: 'finds nothing in an empty store',
      async run(memory) {
        assert.deepEqual(await memory.search(east, 10, everything), []);
      },
    },
    {
      name: 'orders hits by similarity, highest first, and says it',
      async run(memory) {
        await memory.store('far', west);
        await memory.store('near', east);
        await memory.store('across', north);
        await memory.store('close', northEast);
        const hits = await memory.search(east, 10, everything);
        assert.deepEqual(
          hits.map(({ id }) => id),
          ['near', 'close', 'across', 'far'],
        );
        const values = hits.map(({ similarity }) => similarity ?? Number.NaN);
        assert.ok(
          values.every((value, index) => value < (values[index - 1] ?? Number.POSITIVE_INFINITY)),
          `similarities ${values}`,
        );
      },
    },
    {
      name: 'says the cosine, whatever the lengths of the vectors',
      needs: 'cosine',
      async run(memory) {
        await memory.store('a', [4, 3, 0]);
        const [hit] = await memory.search([10, 0, 0], 1, everything);
        assert.ok(Math.abs((hit?.similarity ?? 0) - 0.8) < 1e-6, `similarity ${hit?.similarity} for a cosine of 0.8`);
      },
    },
    {
      name: 'orders equal similarities by id',
      async run(memory) {
        for (const id of ['c', 'a', 'd', 'b']) await memory.store(id, northEast);
        assert.deepEqual(await idsOf(memory.search(east, 3, everything)), ['a', 'b', 'c']);
      },
    },
    {
      name: 'gives at most limit hits, the best ones, and all when there are fewer',
      async run(memory) {
        for (const [index, vector] of [west, north, northEast, east].entries())
          await memory.store(String(index), vector);
        assert.deepEqual(await idsOf(memory.search(east, 2, everything)), ['3', '2']);
        assert.equal((await memory.search(east, 1_000_000, everything)).length, 4);
      },
    },
    {
      name: 'gives 10 hits unless told otherwise',
      async run(memory) {
        for (let index = 0; index < 12; index++) await memory.store(`id${index}`, east);
        assert.equal((await memory.search(east)).length, 10);
      },
    },
    {
      name: 'gives only hits that reach the threshold, those that meet it exactly included',
      async run(memory) {
        await memory.store('same', east);
        await memory.store('close', northEast);
        await memory.store('across', north);
        const [best, second, third] = await memory.search(east, 10, everything);
        assert.deepEqual(await idsOf(memory.search(east, 10, best?.similarity)), ['same']);
        const between = ((second?.similarity ?? 0) + (third?.similarity ?? 0)) / 2;
        assert.deepEqual(await idsOf(memory.search(east, 10, between)), ['same', 'close']);
      },
    },
    {
      name: 'deletes once: true, then false, and the vector is neither retrieved nor found',
      async run(memory) {
        await memory.store('a', east);
        await memory.store('b', east);
        assert.equal(await memory.delete('a'), true);
        assert.equal(await memory.delete('a'), false);
        assert.equal(await memory.delete('never there'), false);
        assert.equal(await memory.retrieve('a'), null);
        assert.deepEqual(await idsOf(memory.search(east, 10, everything)), ['b']);
      },
    },
    {
      name: 'stores again under an id that was deleted',
      async run(memory) {
        await memory.store('a', east, { first: true });
        await memory.delete('a');
        await memory.store('a', north);
        assert.deepEqual([...((await memory.retrieve('a'))?.vector ?? [])], north);
        assert.deepEqual(await idsOf(memory.search(north, 10, everything)), ['a']);
      },
    },
    {
      name: 'keeps everything that is stored at the same time',
      async run(memory) {
        const ids = Array.from({ length: 50 }, (_, index) => `id${index}`);
        await Promise.all(ids.map((id) => memory.store(id, east)));
        assert.deepEqual((await idsOf(memory.search(east, 100, everything))).sort(), [...ids].sort());
      },
    },
    {
      name: 'refuses vectors of another dimension, to store and to search',
      async run(memory) {
        await memory.store('a', east);
        for (const vector of [[], [1], [1, 0], [1, 0, 0, 0]]) await refusesVector(memory, vector);
      },
    },
    {
      name: 'refuses components that are not finite numbers',
      async run(memory) {
        await memory.store('a', east);
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          await refusesVector(memory, [1, bad, 0]);
        }
      },
    },
    {
      name: 'refuses the zero vector, which has no direction',
      needs: 'cosine',
      async run(memory) {
        await memory.store('a', east);
        await refusesVector(memory, [0, 0, 0]);
      },
    },
    {
      name: 'refuses a limit that is not 1 or more',
      async run(memory) {
        await memory.store('a', east);
        for (const limit of [0, -1, Number.NaN]) {
          await failsWith('VALIDATION', `search with the limit ${limit}`, () => memory.search(east, limit));
        }
      },
    },
    {
      name: 'refuses a threshold that is not a number',
      async run(memory) {
        await memory.store('a', east);
        await failsWith('VALIDATION', 'search with the threshold NaN', () => memory.search(east, 1, Number.NaN));
      },
    },
    {
      name: 'refuses an empty id',
      async run(memory) {
        await failsWith('VALIDATION', "store with the id ''", () => memory.store('', east));
      },
    },
  ],
);

async function idsOf(hits: Promise<StoredVector[]>): Promise<string[]> {
  return (await hits).map(({ id }) => id);
}

/** Refused both ways, and the store is as before. */
async function refusesVector(memory: VectorMemorySubject, vector: number[]): Promise<void> {
  await failsWith('VALIDATION', `store of [${vector}]`, () => memory.store('a', vector));
  await failsWith('VALIDATION', `search for [${vector}]`, () => memory.search(vector, 10, everything));
  assert.deepEqual([...((await memory.retrieve('a'))?.vector ?? [])], east, 'a refused vector changed the store');
}
