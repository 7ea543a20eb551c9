import { DatabaseIntegration, MongoDatabase } from '@safla/sdk/database';
import { type DocumentToolsOptions, databaseTools, type MCPClient, MCPServer, type ToolAnswer } from '@safla/sdk/mcp';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DocumentGuard } from '../../src/mcp/tools/document-guard.js';
import { documentRow } from '../../src/mcp/tools/document-row.js';
import { MongoEmulator } from '../support/mongo-emulator/mongo-emulator.js';
import { waitUntil } from './support/wait-until.js';

let emulator: MongoEmulator;
let integration: DatabaseIntegration;
let db: MongoDatabase;

beforeAll(async () => {
  emulator = await MongoEmulator.start();
  integration = new DatabaseIntegration();
  await integration.initializeMongoDB(emulator.url('shop'), 'shop');
  db = integration.mongo;
  const orders = Array.from({ length: 20 }, (_, index) => ({
    number: index,
    state: index % 2 ? 'open' : 'done',
    total: index * 10,
    at: new Date(Date.UTC(2026, 0, index + 1)),
    big: index === 0 ? 2n ** 60n : 1,
    lines: [{ sku: `s${index}`, seal: new Uint8Array([1, 2]) }],
  }));
  await db.collection('orders').insertMany(orders);
  await db.collection('people').insertMany([{ name: 'Ann' }, { name: 'Bob' }]);
});

afterAll(async () => {
  await integration.close();
  await emulator[Symbol.asyncDispose]();
});

async function withTools<T>(
  work: (call: (tool: string, args?: object) => Promise<ToolAnswer>, client: MCPClient) => Promise<T>,
  options: DocumentToolsOptions = {},
  source: MongoDatabase = db,
): Promise<T> {
  await using server = new MCPServer({ name: 's', version: '1', tools: databaseTools(source, options) });
  await using client = await server.connectInMemory();
  return await work((tool, args = {}) => client.callTool(`database_${tool}`, args as Record<string, unknown>), client);
}

describe('databaseTools over MongoDB (emulator)', () => {
  it('find documents in MongoDB’s words, with values that JSON can carry', async () => {
    await withTools(async (call) => {
      const { structuredContent } = await call('find', {
        collection: 'orders',
        filter: { total: { $gte: 50, $lt: 90 }, state: 'open' },
        sort: { total: -1 },
        projection: { _id: 0, number: 1, at: 1, big: 1, lines: 1 },
      });
      const order = (number: number): object => ({
        number,
        at: new Date(Date.UTC(2026, 0, number + 1)).toISOString(),
        big: 1,
        lines: [{ sku: `s${number}`, seal: 'AQI=' }],
      });
      expect(structuredContent).toEqual({ rows: [order(7), order(5)] });
      const since = { at: { $gte: { $date: '2026-01-20T00:00:00Z' } } };
      const late = await call('find', { collection: 'orders', filter: since, projection: { _id: 0, number: 1 } });
      expect(late.structuredContent).toEqual({ rows: [{ number: 19 }] });
      const first = await call('find', { collection: 'orders', filter: { number: 0 } });
      expect((first.structuredContent as { rows: object[] }).rows[0]).toMatchObject({ big: (2n ** 60n).toString() });
    });
  });

  it('read one document by the id that another tool gave', async () => {
    await withTools(async (call) => {
      const { structuredContent } = await call('find', { collection: 'orders', filter: { number: 3 } });
      const [{ _id }] = (structuredContent as { rows: [{ _id: string }] }).rows;
      expect(_id).toMatch(/^[\da-f]{24}$/);
      expect((await call('get', { collection: 'orders', id: _id })).structuredContent).toMatchObject({
        document: { _id, number: 3 },
      });
      const none = await call('get', { collection: 'orders', id: { $ne: null } });
      expect(none.isError).toBe(true);
    });
  });

  it('count, aggregate, and name the collections', async () => {
    await withTools(async (call) => {
      expect((await call('count', { collection: 'orders', filter: { state: 'open' } })).structuredContent).toEqual({
        count: 10,
      });
      expect((await call('count', { collection: 'nothing' })).structuredContent).toEqual({ count: 0 });
      const pipeline = [{ $group: { _id: '$state', sum: { $sum: '$total' } } }, { $sort: { _id: 1 } }];
      expect((await call('aggregate', { collection: 'orders', pipeline })).structuredContent).toEqual({
        rows: [
          { _id: 'done', sum: 900 },
          { _id: 'open', sum: 1_000 },
        ],
      });
      expect((await call('collections')).structuredContent).toEqual({ collections: ['orders', 'people'] });
    });
  });

  it('give at most so many documents and bytes, and say so', async () => {
    await withTools(
      async (call) => {
        const found = await call('find', { collection: 'orders', projection: { _id: 0, number: 1 } });
        expect(found.structuredContent).toEqual({
          rows: [{ number: 0 }, { number: 1 }, { number: 2 }],
          truncated: 'more rows than shown',
        });
        const piped = await call('aggregate', { collection: 'orders', pipeline: [] });
        expect(piped.structuredContent).toMatchObject({ rows: { length: 3 }, truncated: 'more rows than shown' });
        expect((await call('find', { collection: 'orders', limit: 4 })).text).toContain('limit');
      },
      { maxRows: 3 },
    );
    await withTools(
      async (call) =>
        expect((await call('find', { collection: 'orders' })).structuredContent).toEqual({
          rows: [],
          truncated: 'more bytes than shown',
        }),
      { maxBytes: 20 },
    );
  });

  it.each([
    ['find', { filter: { $where: 'sleep(1e9)' } }],
    ['find', { filter: { $or: [{ a: 1 }, { $expr: { $function: { body: 'x', args: [], lang: 'js' } } }] } }],
    ['find', { filter: { at: { $date: 'yesterday' } } }],
    ['count', { filter: { $where: '1' } }],
    ['aggregate', { pipeline: [{ $out: 'orders' }] }],
    ['aggregate', { pipeline: [{ $match: {} }, { $merge: { into: 'people' } }] }],
    ['aggregate', { pipeline: [{ $facet: { a: [{ $merge: 'people' }] } }] }],
    ['aggregate', { pipeline: [{ $lookup: { from: 'people', pipeline: [{ $currentOp: {} }], as: 'x' } }] }],
    ['aggregate', { pipeline: [{ $match: {}, $out: 'people' }] }],
    ['aggregate', { pipeline: [{ $group: { _id: 1, n: { $accumulator: {} } } }] }],
    ['aggregate', { pipeline: [{ $collStats: {} }] }],
    ['aggregate', { pipeline: ['$match'] }],
    ['find', { collection: 'system.users' }],
    ['find', { collection: '$cmd' }],
  ])('refuse what does not only read, before anything is sent: %s %j', async (tool, args) => {
    await withTools(async (call) => {
      const before = emulator.received.length;
      const { isError, text } = await call(tool, { collection: 'orders', ...args });
      expect(isError).toBe(true);
      expect(text).not.toContain('Reference');
      const sent = emulator.received.slice(before).filter((command) => tool in command || 'aggregate' in command);
      expect(sent).toEqual([]);
    });
  });

  it('stay within the collections that were named, also by a lookup', async () => {
    await withTools(
      async (call) => {
        expect((await call('collections')).structuredContent).toEqual({ collections: ['orders'] });
        const lookups = [
          { $lookup: { from: 'people', localField: 'a', foreignField: 'b', as: 'x' } },
          { $lookup: { from: 'people', pipeline: [], as: 'x' } },
          { $graphLookup: { from: 'people', startWith: '$a', connectFromField: 'a', connectToField: 'b', as: 'x' } },
          { $unionWith: 'people' },
          { $unionWith: { coll: 'people', pipeline: [] } },
          { $facet: { a: [{ $unionWith: 'people' }] } },
        ];
        for (const stage of lookups)
          expect((await call('aggregate', { collection: 'orders', pipeline: [stage] })).text).toContain("'people'");
        for (const tool of ['find', 'count']) expect((await call(tool, { collection: 'people' })).isError).toBe(true);
        expect((await call('find', { collection: 'orders', limit: 1 })).isError).toBeFalsy();
      },
      { collections: ['orders'] },
    );
  });

  it('write only what is named, and take values as values', async () => {
    expect(databaseTools(db).every(({ annotations }) => annotations?.readOnlyHint)).toBe(true);
    expect(() => databaseTools(db, { allow: ['drop' as 'delete'] })).toThrow(/insert, update, delete/);
    expect(() => databaseTools(db, { queries: {} } as DocumentToolsOptions)).toThrow(/queries is not an option/);
    await withTools(
      async (call) => {
        const added = await call('insert', { collection: 'notes', documents: [{ text: 'a' }, { text: 'b' }] });
        const [id] = (added.structuredContent as { insertedIds: string[] }).insertedIds;
        const set = { text: 'c' };
        expect((await call('update', { collection: 'notes', equals: { _id: id }, set })).structuredContent).toEqual({
          matchedCount: 1,
          modifiedCount: 1,
        });
        for (const equals of [{}, { text: { $ne: null } }, { $where: '1' }])
          expect((await call('delete', { collection: 'notes', equals })).isError).toBe(true);
        expect(await db.collection('notes').count({})).toBe(2);
        expect((await call('delete', { collection: 'notes', equals: { text: 'c' } })).structuredContent).toEqual({
          deletedCount: 1,
        });
      },
      { allow: ['insert', 'update', 'delete'] },
    );
  });

  it('give up the command in the driver when the call is cancelled', async () => {
    const behind = new MongoDatabase({ url: emulator.url('shop') });
    await behind.command({ ping: 1 });
    emulator.intercept = (name) => (name === 'find' ? 'silent' : undefined);
    await withTools(
      async (_, client) => {
        const before = emulator.received.length;
        const gone = new AbortController();
        const call = client.callTool('database_find', { collection: 'orders' }, { signal: gone.signal });
        await waitUntil(() => emulator.received.slice(before).some((command) => 'find' in command), 'it was sent');
        expect(behind.metrics().running).toBe(1);
        gone.abort(new Error('enough'));
        await expect(call).rejects.toThrow('enough');
        // The answer never comes, so what ends the operation is the signal alone.
        await waitUntil(() => behind.metrics().running === 0, 'the driver gave the command up');
      },
      {},
      behind,
    );
    emulator.intercept = undefined;
    await behind.close({ timeoutMs: 200 });
  });
});

describe('the guard', () => {
  it('lets no word pass that runs code or writes, wherever it stands', () => {
    const guard = new DocumentGuard(undefined);
    const word = fc.constantFrom('$where', '$function', '$accumulator', '$out', '$merge');
    const inside = (leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
      fc.oneof(
        leaf,
        leaf.map((value) => ({ $and: [{ a: 1 }, value] })),
        leaf.map((value) => [[value]]),
        leaf.map((value) => ({ deep: { deeper: { x: value } } })),
      );
    const placed = inside(inside(fc.tuple(word, fc.jsonValue()).map(([name, value]) => ({ [name]: value }))));
    fc.assert(
      fc.property(placed, (value) => {
        expect(() => guard.reading(value, 'filter')).toThrow(/refused/);
      }),
    );
  });

  it('changes nothing else', () => {
    const guard = new DocumentGuard(undefined);
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(JSON.stringify(guard.reading(value, 'filter'))).toBe(JSON.stringify(value));
      }),
    );
    let deep: object = {};
    for (let level = 0; level < 10_000; level++) deep = { deep };
    expect(() => guard.reading(deep, 'filter')).toThrow(/nested deeper/);
  });

  it('gives values that JSON takes', () => {
    const long = (text: string): object => ({ _bsontype: 'Long', toString: () => text });
    expect(documentRow([long('5'), long('9007199254740993'), Number.NaN, new Date(Number.NaN), 3n])).toEqual([
      5,
      '9007199254740993',
      'NaN',
      null,
      3,
    ]);
    expect(documentRow({ _bsontype: 'Decimal128', toString: () => '1.10' })).toBe('1.10');
  });
});
