import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresDatabase } from '@safla/sdk/database';
import { LocalVectorMemory, PostgresVectorMemory } from '@safla/sdk/memory';
import { afterAll, describe, expect, it } from 'vitest';
import { ZvecVectorMemory } from '../../src/memory/zvec/index.js';

type Memory = LocalVectorMemory | PostgresVectorMemory | ZvecVectorMemory;

const root = mkdtempSync(join(tmpdir(), 'safla-same-calls-'));
const db = new PostgresDatabase({ url: 'memory:', extensions: ['vector'] });
let made = 0;
/** New and empty ones. */
function memories(): Memory[] {
  made += 1;
  return [
    new LocalVectorMemory(),
    new PostgresVectorMemory({ db, table: `memory_${made}` }),
    new ZvecVectorMemory({ path: join(root, String(made)) }),
  ];
}
afterAll(async () => {
  await db.close();
  rmSync(root, { recursive: true, force: true });
});

/** What no type lets through, as it comes from JavaScript. */
const wrong = (value: unknown): never => value as never;

const refused: readonly (readonly [what: string, call: (memory: Memory) => Promise<unknown>])[] = [
  ['an empty id', (memory) => memory.store('', [1, 2])],
  ['an id that is too long', (memory) => memory.store('ä'.repeat(513), [1, 2])],
  ['a vector with NaN', (memory) => memory.store('a', [1, Number.NaN])],
  ['a zero vector', (memory) => memory.store('a', [0, 0])],
  ['a text without embed', (memory) => memory.store('a', 'hello')],
  ['an empty text', (memory) => memory.store('a', '')],
  ['an empty text beside a vector', (memory) => memory.store('a', [1, 2], {}, { text: '' })],
  ['an importance above 1', (memory) => memory.store('a', [1, 2], {}, { importance: 2 })],
  ['metadata that is no object', (memory) => memory.store('a', [1, 2], wrong([1]))],
  ['a time to live of 0', (memory) => memory.store('a', [1, 2], {}, { ttlMs: 0 })],
  ['a misspelt setting of store', (memory) => memory.store('a', [1, 2], {}, wrong({ namespce: 'x' }))],
  ['no array of items', (memory) => memory.storeMany(wrong({ id: 'a' }))],
  ['a misspelt key of an item', (memory) => memory.storeMany([wrong({ id: 'a', vektor: [1] })])],
  ['an item without vector and text', (memory) => memory.storeMany([{ id: 'a' }])],
  [
    'vectors of two dimensions',
    (memory) =>
      memory.storeMany([
        { id: 'a', vector: [1, 2] },
        { id: 'b', vector: [1, 2, 3] },
      ]),
  ],
  ['a limit of 0', (memory) => memory.search([1, 2], 0)],
  ['a limit of 0 among settings', (memory) => memory.search([1, 2], { limit: 0 })],
  ['a limit that is a text', (memory) => memory.search([1, 2], wrong('5'))],
  ['a threshold that is a text', (memory) => memory.search([1, 2], 5, wrong('0.5'))],
  ['a threshold of NaN among settings', (memory) => memory.search([1, 2], { threshold: Number.NaN })],
  ['settings that are null', (memory) => memory.search([1, 2], wrong(null))],
  ['an unknown operator', (memory) => memory.search([1, 2], { filter: { a: wrong({ $near: 1 }) } })],
  ['an empty namespace', (memory) => memory.search([1, 2], { namespace: ' ' })],
  ['an empty query', (memory) => memory.search([])],
  ['a query in words without embed', (memory) => memory.search('hello')],
  ['an id that is no text', (memory) => memory.retrieve(wrong(7))],
  ['an unknown operator of count', (memory) => memory.count({ filter: { a: wrong({ $near: 1 }) } })],
  ['an empty id to delete', (memory) => memory.delete('')],
];

describe('All memories', () => {
  it.each(refused)('refuse %s in the same words', async (_, call) => {
    const told = await Promise.all(
      memories().map(async (memory) => {
        await using used = memory;
        const error = await call(used).then(
          () => new Error('not refused'),
          (reason: unknown) => reason as Error,
        );
        return `${error.name}: ${error.message.replaceAll(used.constructor.name, 'the memory')}`;
      }),
    );
    expect(told[0]).toMatch(/^(?:ValidationError|ConfigurationError): /);
    expect(new Set(told)).toEqual(new Set([told[0]]));
  });

  it('keep the last of items with the same id, and all of more than a batch', async () => {
    for (const memory of memories()) {
      await using used = memory;
      const items = Array.from({ length: 2_001 }, (_, i) => ({ id: `v${i}`, vector: [1, i + 1] }));
      await used.storeMany([
        ...items,
        { id: 'v7', vector: [-1, 0] },
        { id: 'v7', vector: [-3, 0], metadata: { last: true } },
      ]);
      expect(await used.count()).toBe(2_001);
      expect(await used.retrieve('v7')).toMatchObject({ metadata: { last: true }, vector: [-3, 0] });
      expect(await used.search([-1, 0], 1)).toMatchObject([{ id: 'v7', similarity: 1 }]);
    }
  });

  it('take the limit and the threshold in both forms', async () => {
    for (const memory of memories()) {
      await using used = memory;
      await used.storeMany([0, 1, 2, 3].map((i) => ({ id: `v${i}`, vector: [1, i] })));
      const ids = async (found: Promise<{ readonly id: string }[]>): Promise<string[]> =>
        (await found).map(({ id }) => id);
      expect(await ids(used.search([1, 0]))).toEqual(['v0', 'v1', 'v2', 'v3']);
      expect(await ids(used.search([1, 0], 2))).toEqual(['v0', 'v1']);
      expect(await ids(used.search([1, 0], { limit: 2 }))).toEqual(['v0', 'v1']);
      expect(await ids(used.search([1, 0], Number.POSITIVE_INFINITY, 0.7))).toEqual(['v0', 'v1']);
      expect(await ids(used.search([1, 0], { threshold: 0.7 }))).toEqual(['v0', 'v1']);
    }
  });
});
