import { ClosedError, ConfigurationError, ProtocolError, QueueFullError, ValidationError } from '@safla/sdk/core';
import { LocalVectorMemory } from '@safla/sdk/memory';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

const metrics = ['cosine', 'dot', 'euclidean'] as const;

/** The definition: float64 arithmetic over the stored float32 rows. */
function similarity(metric: (typeof metrics)[number], query: readonly number[], row: readonly number[]): number {
  let [dot, queryNorm, rowNorm, distance] = [0, 0, 0, 0];
  for (const [i, q] of query.entries()) {
    const x = row[i] ?? Number.NaN;
    dot += q * x;
    queryNorm += q * q;
    rowNorm += x * x;
    distance += (q - x) ** 2;
  }
  if (metric === 'dot') return dot;
  return metric === 'cosine' ? dot / Math.sqrt(queryNorm * rowNorm) : 1 / (1 + Math.sqrt(distance));
}

describe('search', () => {
  it.each(metrics)('gives exactly the nearest by %s, after any stores, replacements and deletes', async (metric) => {
    const component = fc.double({ min: -100, max: 100, noNaN: true });
    const vector = fc.array(component, { minLength: 5, maxLength: 5 }).filter((v) => v.some((x) => Math.abs(x) > 1e-3));
    const step = fc.record({ id: fc.integer({ min: 0, max: 20 }), vector: fc.option(vector, { freq: 3 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), vector, fc.nat(25), async (steps, query, size) => {
        const memory = new LocalVectorMemory({ metric });
        const model = new Map<string, readonly number[]>();
        for (const { id, vector: stored } of steps) {
          if (stored) await memory.store(`v${id}`, stored);
          else expect(await memory.delete(`v${id}`)).toBe(model.has(`v${id}`));
          if (stored) model.set(`v${id}`, stored.map(Math.fround));
          else model.delete(`v${id}`);
        }
        const hits = await memory.search(query, size + 1);
        const expected = [...model.values()].map((row) => similarity(metric, query, row)).sort((a, b) => b - a);
        expect(hits).toHaveLength(Math.min(size + 1, model.size));
        for (const [rank, hit] of hits.entries()) {
          const row = model.get(hit.id) ?? [];
          const near = (want: number | undefined): void => {
            expect(Math.abs((hit.similarity ?? Number.NaN) - (want ?? Number.NaN))).toBeLessThan(1e-9);
          };
          expect(hit.vector).toEqual(row);
          near(similarity(metric, query, row));
          near(expected[rank]);
        }
        expect(await memory.count()).toBe(model.size);
      }),
      { numRuns: 100 },
    );
  });

  it.each(metrics)('ranks hundreds of vectors by %s as the definition does', async (metric) => {
    const memory = new LocalVectorMemory({ metric });
    const rows = Array.from({ length: 300 }, (_, n) =>
      [Math.sin(n * 7 + 1), Math.cos(n * n), n % 17, 1].map(Math.fround),
    );
    await memory.storeMany(rows.map((vector, n) => ({ id: `v${n}`, vector })));
    const query = [0.3, -0.2, 4, 0.1];
    const ranked = rows
      .map((row, n) => ({ id: `v${n}`, similarity: similarity(metric, query, row) }))
      .sort((a, b) => b.similarity - a.similarity);
    for (const limit of [1, 7, 40, 300]) {
      const hits = await memory.search(query, limit);
      expect(hits.map(({ id }) => id)).toEqual(ranked.slice(0, limit).map(({ id }) => id));
    }
  });

  it('keeps what is at least as similar as the threshold', async () => {
    const memory = new LocalVectorMemory();
    for (const degrees of [0, 30, 60, 90]) {
      const angle = (degrees * Math.PI) / 180;
      await memory.store(`${degrees}`, [Math.cos(angle), Math.sin(angle)]);
    }
    const hits = await memory.search([1, 0], { threshold: 0.8 });
    expect(hits.map(({ id }) => id)).toEqual(['0', '30']);
    expect(await memory.search([1, 0], undefined, 0.8)).toHaveLength(2);
    expect(await memory.search([1, 0], { threshold: 0.8, limit: 1 })).toHaveLength(1);
  });

  it('gives ten hits by default, and none from an empty memory', async () => {
    const memory = new LocalVectorMemory();
    expect(await memory.search([1, 0])).toEqual([]);
    await memory.storeMany(Array.from({ length: 30 }, (_, n) => ({ id: `v${n}`, vector: [1, n] })));
    expect(await memory.search([1, 0])).toHaveLength(10);
  });

  it('takes typed arrays', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', new Float32Array([1, 2]));
    expect(await memory.search(new Float64Array([1, 2]))).toMatchObject([{ id: 'a', vector: [1, 2], similarity: 1 }]);
  });

  it.each([
    ['a text', 'x', ConfigurationError],
    ['nothing', undefined, ValidationError],
    ['an empty array', [], ValidationError],
    ['texts', ['1', '2'], ValidationError],
    ['a hole', Object.assign([1], { 2: 1 }), ValidationError],
    ['a Uint8Array', new Uint8Array(2), ValidationError],
  ])('refuses %s as a query and as a vector', async (_, vector, type) => {
    const memory = new LocalVectorMemory();
    await expect(memory.search(vector as never)).rejects.toBeInstanceOf(type);
    await expect(memory.store('a', vector as never)).rejects.toBeInstanceOf(type);
  });

  it('refuses unknown settings by name', async () => {
    const memory = new LocalVectorMemory();
    await expect(memory.search([1], { limt: 3 } as never)).rejects.toThrow(/'limit'/);
    await expect(memory.search([1], { mmr: { lamda: 0.5 } } as never)).rejects.toBeInstanceOf(ConfigurationError);
    await expect(memory.store('a', [1], {}, { ttl: 3 } as never)).rejects.toThrow(/'ttlMs'/);
    expect(() => new LocalVectorMemory({ folder: './x' } as never)).toThrow(ConfigurationError);
  });
});

describe('store', () => {
  it('replaces what was under the id, with its metadata and timestamp', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0], { version: 1 });
    const before = Date.now();
    await memory.store('a', [0, 1]);
    const stored = await memory.retrieve('a');
    expect(stored).toEqual({ id: 'a', vector: [0, 1], timestamp: stored?.timestamp });
    expect(stored?.timestamp).toBeGreaterThanOrEqual(before);
    expect(await memory.count()).toBe(1);
  });

  it('fixes the dimension by the first vector or by the option', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0]);
    await memory.delete('a');
    await expect(memory.store('b', [1, 0, 0])).rejects.toThrow(/holds vectors of 2/);
    const fixed = new LocalVectorMemory({ dimension: 3 });
    await expect(fixed.store('a', [1, 0])).rejects.toBeInstanceOf(ValidationError);
    await expect(fixed.search([1, 0])).rejects.toBeInstanceOf(ValidationError);
    expect(fixed.stats().dimension).toBe(3);
  });

  it.each([
    ['empty', ''],
    ['over 1024 bytes', 'ä'.repeat(513)],
    ['of 10 MB', 'x'.repeat(10_000_000)],
    ['a number', 7],
  ])('refuses an id that is %s, in every call', async (_, id) => {
    const memory = new LocalVectorMemory();
    for (const call of [memory.store(id as string, [1]), memory.retrieve(id as string), memory.delete(id as string)]) {
      await expect(call).rejects.toBeInstanceOf(ValidationError);
    }
  });

  it('takes an id of 1024 bytes', async () => {
    const memory = new LocalVectorMemory();
    const id = 'ä'.repeat(512);
    await memory.store(id, [1]);
    expect(await memory.retrieve(id)).toMatchObject({ id });
  });

  it.each([
    ['a function', { f: () => 1 }],
    ['a symbol', { s: Symbol('x') }],
    ['a text', 'note'],
    ['an array', [1]],
    ['null', null],
    ['a Map', new Map([['kind', 'note']])],
    ['a Set', new Set([1])],
    ['a Date', new Date(0)],
    ['bytes', new Uint8Array([1])],
    ['an Error', new Error('no')],
  ])('refuses %s as metadata and stores nothing', async (_, metadata) => {
    const memory = new LocalVectorMemory();
    await expect(memory.store('a', [1], metadata as never)).rejects.toBeInstanceOf(ValidationError);
    expect(await memory.count()).toBe(0);
  });

  it("takes a class's object as metadata and keeps its properties", async () => {
    class Note {
      readonly kind = 'note';
    }
    const memory = new LocalVectorMemory();
    await memory.store('a', [1], new Note());
    expect((await memory.retrieve('a'))?.metadata).toEqual({ kind: 'note' });
  });

  it('keeps cycles, dates and maps in metadata', async () => {
    const memory = new LocalVectorMemory();
    const metadata: Record<string, unknown> = { at: new Date(0), map: new Map([[1, 2]]) };
    metadata.self = metadata;
    await memory.store('a', [1], metadata);
    const copy = (await memory.retrieve('a'))?.metadata;
    expect(copy?.self).toBe(copy);
    expect(copy).toMatchObject({ at: new Date(0), map: new Map([[1, 2]]) });
  });

  it('refuses more than maxItems, stores nothing then, and still replaces', async () => {
    const memory = new LocalVectorMemory({ maxItems: 2 });
    await memory.store('a', [1], undefined, { namespace: 'one' });
    await memory.store('b', [1], undefined, { namespace: 'two' });
    await expect(memory.store('c', [1])).rejects.toBeInstanceOf(QueueFullError);
    await memory.store('a', [2], undefined, { namespace: 'one' });
    await memory.delete('b', { namespace: 'two' });
    const three = ['c', 'd', 'e'].map((id) => ({ id, vector: [1] }));
    await expect(memory.storeMany(three)).rejects.toBeInstanceOf(QueueFullError);
    expect(memory.stats()).toMatchObject({ items: 1, namespaces: 1 });
    await memory.store('c', [1]);
    expect(memory.stats().items).toBe(2);
  });
});

describe('maxBytes', () => {
  const text = 'x'.repeat(1_000);
  const namespaceA = { namespace: 'a' };

  it('counts vectors, ids and metadata, and gives back what is deleted or replaced', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', new Float32Array(1_000).fill(1));
    const { bytes } = memory.stats();
    expect(bytes).toBeGreaterThan(4_000);
    expect(bytes).toBeLessThan(4_500);
    await memory.store('a', new Float32Array(1_000).fill(2), { text }, namespaceA);
    expect(memory.stats().bytes).toBeGreaterThan(2 * bytes + 1_000);
    await memory.store('a', new Float32Array(1_000).fill(2), undefined, namespaceA);
    expect(memory.stats().bytes).toBe(2 * bytes);
    await memory.delete('a', namespaceA);
    expect(memory.stats().bytes).toBe(bytes);
  });

  it('is never exceeded: what goes beyond is refused, and what is there can still be replaced', async () => {
    const memory = new LocalVectorMemory({ maxBytes: 3_000 });
    await memory.store('a', [1], { text });
    await memory.store('b', [1], { text });
    await expect(memory.store('c', [1], { text })).rejects.toThrow(/maxBytes is 3000; nothing was stored/);
    await expect(memory.store('c', [1], { text }, namespaceA)).rejects.toBeInstanceOf(QueueFullError);
    await memory.store('b', [2], { text });
    expect(memory.stats()).toMatchObject({ items: 2, namespaces: 1 });
    expect(memory.stats().bytes).toBeLessThanOrEqual(3_000);
    await memory.delete('a');
    await memory.store('c', [1], { text }, namespaceA);
    expect(await memory.count(namespaceA)).toBe(1);
  });
});

describe('storeMany', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['an object', { id: 'a', vector: [1] }],
    ['an item that is null', [null]],
    ['an item that is a text', ['a']],
    ['an unknown key of an item', [{ id: 'a', vector: [1], metdata: { kind: 'note' } }]],
  ])('refuses %s with ValidationError and stores nothing', async (_, items) => {
    const memory = new LocalVectorMemory();
    await expect(memory.storeMany(items as never)).rejects.toBeInstanceOf(ValidationError);
    expect(memory.stats().items).toBe(0);
  });

  it('names the unknown key and the one that was meant', async () => {
    const storing = new LocalVectorMemory().storeMany([{ id: 'a', vector: [1], metdata: {} } as never]);
    await expect(storing).rejects.toThrow("storeMany: 0.metdata: is not a key of an item; did you mean 'metadata'?");
  });

  it('stores all or none', async () => {
    const memory = new LocalVectorMemory();
    const bad = [
      { id: 'a', vector: [1, 0] },
      { id: 'b', vector: [1] },
    ];
    await expect(memory.storeMany(bad)).rejects.toThrow(/vector of 'b'/);
    expect(memory.stats()).toMatchObject({ items: 0, dimension: undefined });
    await memory.storeMany([]);
    await memory.store('c', [1]);
  });

  it('keeps the last of items with the same id', async () => {
    const memory = new LocalVectorMemory();
    await memory.storeMany([
      { id: 'a', vector: [1, 0] },
      { id: 'a', vector: [0, 1] },
    ]);
    expect(await memory.retrieve('a')).toMatchObject({ vector: [0, 1] });
    expect(memory.stats().items).toBe(1);
  });

  it.each([{ id: 'a' }, { id: 'a', vector: [1], text: '' }, { id: 'a', vector: [1], importance: 2 }])(
    'refuses %j',
    async (item) => {
      await expect(new LocalVectorMemory().storeMany([item])).rejects.toBeInstanceOf(ValidationError);
    },
  );
});

describe('embed', () => {
  const letters = (texts: readonly string[]): number[][] =>
    texts.map((text) => ['a', 'b', 'c'].map((letter) => text.split(letter).length - 1 + 0.01));

  it('makes vectors of texts, all texts of a call at once', async () => {
    const calls: (readonly string[])[] = [];
    const memory = new LocalVectorMemory({
      model: 'letters',
      embed: async (texts) => {
        calls.push(texts);
        return letters(texts);
      },
    });
    await memory.storeMany([
      { id: 'v', vector: [0.01, 0.01, 9] },
      { id: 'aa', text: 'aaa' },
      { id: 'bb', text: 'bbb' },
    ]);
    await memory.store('ab', 'ab', { kind: 'mixed' });
    expect((await memory.search('b', 2)).map(({ id }) => id)).toEqual(['bb', 'ab']);
    expect((await memory.search('c', 1)).map(({ id }) => id)).toEqual(['v']);
    expect(calls).toEqual([['aaa', 'bbb'], ['ab'], ['b'], ['c']]);
    expect(memory.stats().model).toBe('letters');
  });

  it.each([
    ['no array', () => undefined, ProtocolError],
    ['too few vectors', () => [], ProtocolError],
    ['a vector with NaN', () => [[Number.NaN]], ValidationError],
    ['something else than vectors', () => [{ embedding: [1] }], ValidationError],
  ])('refuses %s from embed', async (_, embed, type) => {
    const memory = new LocalVectorMemory({ embed: embed as never });
    await expect(memory.store('a', 'text')).rejects.toBeInstanceOf(type);
  });

  it('refuses vectors of another dimension and empty texts', async () => {
    const memory = new LocalVectorMemory({ embed: letters });
    await memory.store('a', 'abc');
    await expect(memory.store('b', [1, 2])).rejects.toBeInstanceOf(ValidationError);
    await expect(memory.store('b', '')).rejects.toBeInstanceOf(ValidationError);
    await expect(memory.search('')).rejects.toBeInstanceOf(ValidationError);
  });

  it('stores nothing when the call is aborted while embed works, and hands the signal on', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    let seen: AbortSignal | undefined;
    const memory = new LocalVectorMemory({
      embed: async (texts, { signal }) => {
        seen = signal;
        controller.abort(reason);
        return letters(texts);
      },
    });
    await expect(memory.store('a', 'text', {}, { signal: controller.signal })).rejects.toBe(reason);
    expect(seen?.reason).toBe(reason);
    expect(await memory.count()).toBe(0);
  });

  it('throws on what embed throws', async () => {
    const failure = new Error('quota');
    const memory = new LocalVectorMemory({ embed: () => Promise.reject(failure) });
    await expect(memory.search('text')).rejects.toBe(failure);
  });
});

describe('the calls that wait for nothing', () => {
  it.each<[string, (memory: LocalVectorMemory, options: { signal: AbortSignal; timeoutMs: number }) => unknown]>([
    ['retrieve', (memory, options) => memory.retrieve('a', options)],
    ['delete', (memory, options) => memory.delete('a', options)],
    ['count', (memory, options) => memory.count(options)],
  ])('%s takes a signal and a time, and does nothing when the signal has aborted', async (_, call) => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1]);
    const reason = new Error('enough');
    await expect(call(memory, { signal: AbortSignal.abort(reason), timeoutMs: 1_000 })).rejects.toBe(reason);
    expect(await memory.count()).toBe(1);
    expect(await call(memory, { signal: new AbortController().signal, timeoutMs: 1_000 })).toBeTruthy();
  });
});

describe('namespaces', () => {
  it('see nothing of each other', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0], { of: 'x' }, { namespace: 'x' });
    await memory.store('a', [1, 0], { of: 'y' }, { namespace: 'y' });
    await memory.store('b', [1, 0], { of: 'y' }, { namespace: 'y' });
    expect(await memory.search([1, 0])).toEqual([]);
    expect(await memory.search([1, 0], { namespace: 'x' })).toMatchObject([{ metadata: { of: 'x' } }]);
    expect(await memory.retrieve('b', { namespace: 'x' })).toBeNull();
    expect(await memory.delete('b', { namespace: 'x' })).toBe(false);
    expect(await memory.delete('a', { namespace: 'x' })).toBe(true);
    expect(await memory.count({ namespace: 'y' })).toBe(2);
    expect(memory.stats()).toMatchObject({ items: 2, namespaces: 1 });
  });

  it('have names that are not empty', async () => {
    const memory = new LocalVectorMemory();
    await expect(memory.count({ namespace: '' })).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe('ttlMs', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends an item for every call, frees its place, and a new store renews it', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000 });
    const memory = new LocalVectorMemory({ maxItems: 2 });
    await memory.store('short', [1, 0], undefined, { ttlMs: 100 });
    await memory.store('long', [1, 0], undefined, { ttlMs: 200 });
    vi.setSystemTime(1_099);
    expect(await memory.count()).toBe(2);
    vi.setSystemTime(1_100);
    expect((await memory.search([1, 0])).map(({ id }) => id)).toEqual(['long']);
    expect(await memory.retrieve('short')).toBeNull();
    expect(await memory.delete('short')).toBe(false);
    await memory.store('third', [1, 0]);
    await memory.store('long', [1, 0]);
    vi.setSystemTime(9_999);
    expect(await memory.count()).toBe(2);
    expect(memory.stats().items).toBe(2);
  });

  it('makes room in other namespaces when maxItems is reached', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000 });
    const memory = new LocalVectorMemory({ maxItems: 1 });
    await memory.store('a', [1], undefined, { namespace: 'x', ttlMs: 10 });
    await expect(memory.store('b', [1], undefined, { namespace: 'y' })).rejects.toBeInstanceOf(QueueFullError);
    vi.setSystemTime(1_010);
    await memory.store('b', [1], undefined, { namespace: 'y' });
    expect(memory.stats()).toMatchObject({ items: 1, namespaces: 1 });
  });
});

describe('close', () => {
  it('is idempotent and refuses every call afterwards', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1]);
    await Promise.all([memory.close(), memory.close()]);
    const calls = [memory.store('a', [1]), memory.storeMany([]), memory.search([1])];
    for (const call of [...calls, memory.retrieve('a'), memory.delete('a'), memory.count()]) {
      await expect(call).rejects.toBeInstanceOf(ClosedError);
    }
  });

  it('works with await using', async () => {
    let kept: LocalVectorMemory;
    {
      await using memory = new LocalVectorMemory();
      kept = memory;
    }
    await expect(kept.count()).rejects.toBeInstanceOf(ClosedError);
  });

  it('ends a store whose embed never answers by its deadline', async () => {
    const memory = new LocalVectorMemory({ embed: () => new Promise(() => undefined) });
    const storing = expect(memory.store('a', 'text')).rejects.toBeInstanceOf(ClosedError);
    await memory.close({ timeoutMs: 20 });
    await storing;
  });
});
