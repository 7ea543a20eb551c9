import { ConfigurationError, ValidationError } from '@safla/sdk/core';
import { chunkText, type Embed, LocalVectorMemory } from '@safla/sdk/memory';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { weightOf } from '../../src/memory/local/ranking/decay.js';
import { diversify } from '../../src/memory/local/ranking/diversify.js';
import { fuse } from '../../src/memory/local/ranking/fuse.js';
import { wordsOf } from '../../src/memory/local/text/text-index.js';

const ids = (hits: readonly { id: string }[]): string[] => hits.map(({ id }) => id);

/** Blurs what words say: only the length of a text counts. */
const embed: Embed = (texts) => texts.map((text) => [1, text.length / 100]);

describe('search by words', () => {
  const notes = [
    { id: 'refund', text: 'Refund for invoice INV-4711 was sent' },
    { id: 'shipping', text: 'Shipping of all parcels takes three days' },
    { id: 'hello', text: 'Hello and welcome to the shop of shops!' },
    { id: 'tokyo', text: '東京の天気は晴れです' },
  ];

  it('finds by fused ranks what the vectors blur', async () => {
    const memory = new LocalVectorMemory({ embed });
    await memory.storeMany(notes);
    const query = 'what happened with invoice 4711?';
    const [best, second] = await memory.search(query, { text: true, limit: 2 });
    expect(best).toMatchObject({ id: 'refund', text: notes[0]?.text });
    expect(best?.score).toBeGreaterThan(second?.score as number);
    expect(best?.similarity).toBeLessThan(1);
    expect(ids(await memory.search([1, 0.1], { text: '天気', limit: 1 }))).toEqual(['tokyo']);
  });

  it('follows replacements, deletes, filters, thresholds and expiry', async () => {
    const memory = new LocalVectorMemory({ embed });
    await memory.storeMany(notes.map((note) => ({ ...note, metadata: { first: note.id[0] } })));
    const words = (text: string, more: object = {}): Promise<string[]> =>
      memory.search([0, 1], { text, limit: 1, ...more }).then(ids);
    expect(await words('parcels')).toEqual(['shipping']);
    await memory.store('hello', 'parcels parcels parcels');
    await memory.delete('shipping');
    expect(await words('parcels')).toEqual(['hello']);
    await memory.store('hello', 'nothing of it');
    await memory.store('late', 'parcels', { first: 'l' }, { ttlMs: 20 });
    expect(await words('parcels')).toEqual(['late']);
    expect(await words('parcels', { filter: { first: 'r' } })).toEqual(['refund']);
    expect(await words('parcels', { threshold: 0.9999 })).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await words('parcels')).not.toEqual(['late']);
  });

  it('keeps the text of a vector that was made elsewhere', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0], undefined, { text: 'blue whale' });
    await memory.storeMany([{ id: 'b', vector: [1, 0.1], text: 'red fox', importance: 0.25 }]);
    expect(await memory.retrieve('b')).toMatchObject({ text: 'red fox', importance: 0.25 });
    expect(ids(await memory.search([1, 0], { text: 'fox', limit: 1 }))).toEqual(['b']);
    await expect(memory.search([1, 0], { text: true })).rejects.toBeInstanceOf(ValidationError);
    await expect(memory.search([1, 0], { text: '' })).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('fuses by reciprocal rank with an offset of 60', () => {
    expect(fuse([[7, 8], [8]])).toEqual(
      new Map([
        [7, 1 / 61],
        [8, 1 / 62 + 1 / 61],
      ]),
    );
  });

  it('takes words in any script and case', () => {
    expect(wordsOf("Don't ＦＯＯ-42 ÉCOLE")).toEqual(['don', 't', 'foo', '42', 'école']);
    expect(wordsOf('東京タワー 猫')).toEqual(['東京', '京タ', 'タワ', 'ワー', '猫']);
  });
});

describe('mmr', () => {
  it('prefers hits that differ from each other', async () => {
    const memory = new LocalVectorMemory();
    for (const [id, vector] of Object.entries({
      a1: [1, 0.01, 0],
      a2: [1, 0.02, 0],
      a3: [1, 0.03, 0],
      b: [0.8, 0.6, 0],
      c: [0.8, 0, 0.6],
    })) {
      await memory.store(id, vector);
    }
    const query = [1, 0, 0];
    expect(ids(await memory.search(query, { limit: 3 }))).toEqual(['a1', 'a2', 'a3']);
    expect(ids(await memory.search(query, { limit: 3, mmr: { lambda: 0.3 } }))).toEqual(['a1', 'c', 'b']);
    expect(ids(await memory.search(query, { limit: 3, mmr: { lambda: 1 } }))).toEqual(['a1', 'a2', 'a3']);
    expect(ids(await memory.search(query, { limit: 2, mmr: { candidates: 2 } }))).toEqual(['a1', 'a2']);
    await expect(memory.search(query, { mmr: { lambda: 2 } })).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('chooses greedily by its definition', () => {
    const vector = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(vector, { minLength: 1, maxLength: 12 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (rows, lambda) => {
          const near = (a: number, b: number): number =>
            (rows[a] as number[]).reduce((sum, x, i) => sum + x * (rows[b]?.[i] as number), 0);
          const choices = rows.map((row, index) => ({ row: index, relevance: row[0] as number }));
          const chosen = diversify(choices, 5, lambda, (row) => (other) => near(row, other));
          expect(chosen).toHaveLength(Math.min(5, rows.length));
          for (const [place, { row, relevance }] of chosen.entries()) {
            const before = chosen.slice(0, place);
            const score = (r: number, value: number): number =>
              lambda * value - (1 - lambda) * (place === 0 ? 0 : Math.max(...before.map((one) => near(one.row, r))));
            const left = choices.filter((one) => !before.some((other) => other.row === one.row));
            // Plus zero, since -0 is 0 here.
            expect(score(row, relevance) + 0).toBe(Math.max(...left.map((one) => score(one.row, one.relevance))) + 0);
          }
        },
      ),
    );
  });
});

describe('decay', () => {
  it('gives the best by similarity times weight, of all items', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const memory = new LocalVectorMemory();
      const start = Date.now();
      const items = Array.from({ length: 2_000 }, (_, i) => ({
        id: `v${i}`,
        vector: [Math.cos(i * 0.001), Math.sin(i * 0.001)],
        importance: ((i * 7_919) % 1_000) / 1_000,
        age: 1_000 * ((i * 31) % 60),
      }));
      for (const { age, ...item } of items) {
        vi.setSystemTime(start - age);
        await memory.storeMany([item]);
      }
      vi.setSystemTime(start);
      for (const decay of [{ halfLifeMs: 3_000 }, { halfLifeMs: 1e9, importance: 0 }, { importance: 1 }]) {
        const expected = items
          .map(({ id, vector: [x = 0], importance, age }) => ({
            id,
            score: Math.max(0, x) * weightOf({ timestamp: -age, importance }, decay, 0),
          }))
          .sort((a, b) => b.score - a.score)
          .slice(0, 5);
        const hits = await memory.search([1, 0], { limit: 5, decay });
        for (const [place, { score }] of expected.entries()) expect(hits[place]?.score).toBeCloseTo(score, 6);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('halves with each half-life and counts what has no importance as 0.5', () => {
    expect(weightOf({ timestamp: 0, importance: 1 }, { halfLifeMs: 100 }, 200)).toBe(0.25);
    expect(weightOf({ timestamp: 0, importance: undefined }, {}, 1e12)).toBe(0.5);
    expect(weightOf({ timestamp: 0, importance: 0 }, { importance: 0.2 }, 0)).toBe(0.8);
    expect(weightOf({ timestamp: 500, importance: 1 }, { halfLifeMs: 100 }, 200)).toBe(1);
  });
});

describe('dedupe', () => {
  it('leaves out what is like something that is there or comes before it, not what it replaces', async () => {
    const memory = new LocalVectorMemory();
    await memory.store('a', [1, 0]);
    const result = await memory.storeMany(
      [
        { id: 'a', vector: [1, 0.001] },
        { id: 'b', vector: [1, 0.002] },
        { id: 'c', vector: [0, 1] },
        { id: 'd', vector: [0.001, 1] },
        { id: 'e', vector: [-1, 0] },
      ],
      { dedupe: 0.99 },
    );
    expect(result).toMatchObject({
      stored: 3,
      duplicates: [
        { id: 'b', of: 'a' },
        { id: 'd', of: 'c' },
      ],
    });
    expect(result.duplicates[0]?.similarity).toBeGreaterThan(0.99);
    expect((await memory.retrieve('a'))?.vector[1]).toBeCloseTo(0.001);
    await memory.store('f', [1, 0], {}, { dedupe: 0.99 });
    expect(await memory.retrieve('f')).toBeNull();
    await expect(memory.store('f', [1, 0], {}, { dedupe: Number.NaN })).rejects.toBeInstanceOf(ConfigurationError);
  });
});

describe('searchMany', () => {
  it('gives for each query what search gives, with one call of embed', async () => {
    const calls: number[] = [];
    const memory = new LocalVectorMemory({
      embed: (texts, options) => {
        calls.push(texts.length);
        return embed(texts, options);
      },
    });
    await memory.storeMany(
      Array.from({ length: 3_000 }, (_, i) => ({ id: `v${i}`, vector: [Math.cos(i), Math.sin(i)] })),
    );
    const queries = ['one', [0.3, -1], 'a longer query', [-1, 0]];
    const all = await memory.searchMany(queries, { limit: 4, threshold: 0.2 });
    expect(calls).toEqual([2]);
    for (const [place, query] of queries.entries()) {
      expect(all[place]).toEqual(await memory.search(query, { limit: 4, threshold: 0.2 }));
    }
    expect(await memory.searchMany([])).toEqual([]);
    await expect(memory.searchMany('x' as never)).rejects.toBeInstanceOf(ValidationError);
    await expect(memory.searchMany([[1, 2, 3]])).rejects.toBeInstanceOf(ValidationError);
  });
});

describe('many items', () => {
  it('counts, scrolls through and deletes what a filter picks', async () => {
    const memory = new LocalVectorMemory();
    await memory.storeMany(
      Array.from({ length: 1_500 }, (_, i) => ({ id: `v${i}`, vector: [1, i], metadata: { even: i % 2 === 0 } })),
    );
    await memory.store('elsewhere', [1, 1], { even: true }, { namespace: 'other' });
    const filter = { even: true };
    expect(await memory.count({ filter })).toBe(750);
    const seen = new Set<string>();
    for await (const { id, metadata } of memory.scroll({ filter })) {
      expect(metadata).toEqual({ even: true });
      if (seen.size === 0) await memory.delete('v1498');
      seen.add(id);
    }
    expect(seen.size).toBe(749);
    expect(await memory.deleteWhere(filter)).toBe(749);
    expect(await memory.deleteWhere(filter)).toBe(0);
    expect(await memory.count()).toBe(750);
    expect(await memory.deleteWhere({})).toBe(750);
    expect(memory.stats()).toMatchObject({ items: 1, namespaces: 1 });
  });

  it('ends a scroll with its signal and with the memory', async () => {
    const memory = new LocalVectorMemory();
    await memory.storeMany([
      { id: 'a', vector: [1] },
      { id: 'b', vector: [2] },
    ]);
    const stop = new AbortController();
    const scroll = memory.scroll({ signal: stop.signal });
    await scroll.next();
    stop.abort(new Error('enough'));
    await expect(scroll.next()).rejects.toThrow('enough');
    const other = memory.scroll();
    await other.next();
    await memory.close();
    await expect(other.next()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('documents', () => {
  const article = Array.from(
    { length: 40 },
    (_, i) => `Sentence number ${i} says something about topic ${i % 7}.`,
  ).join(' ');

  it('stores a long text in chunks, in place of the chunks it had', async () => {
    const memory = new LocalVectorMemory({ embed });
    const chunks = await memory.storeDocument('guide', article, { lang: 'en' }, { maxLength: 200, overlap: 0 });
    expect(chunks).toBeGreaterThan(8);
    const [hit] = await memory.search([1, 2], { text: 'number 17', limit: 1 });
    expect(hit?.text).toContain('number 17 ');
    const start = hit?.metadata?.start as number;
    expect(article.slice(start, start + (hit?.text?.length ?? 0))).toBe(hit?.text);
    expect(hit?.metadata).toMatchObject({ document: 'guide', lang: 'en' });
    await memory.store('other', 'x');
    expect(await memory.storeDocument('guide', 'short now')).toBe(1);
    expect(await memory.count()).toBe(2);
    expect(await memory.storeDocument('guide', '  ')).toBe(0);
    expect(await memory.count()).toBe(1);
  });

  it('chunks hold the whole text but white space, in order, none longer than asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('word ', 'a. ', '\n\n', '😀', 'ж', ' ', 'x'.repeat(30), '。'), { maxLength: 60 }),
        fc.integer({ min: 2, max: 40 }),
        fc.nat(19),
        (parts, maxLength, overlap) => {
          fc.pre(overlap * 2 < maxLength);
          const text = parts.join('');
          const covered = new Set<number>();
          let last = -1;
          for (const { text: chunk, start } of chunkText(text, { maxLength, overlap })) {
            expect(chunk.length).toBeLessThanOrEqual(maxLength);
            expect(text.slice(start, start + chunk.length)).toBe(chunk);
            expect(chunk).not.toMatch(/\p{Surrogate}/u);
            expect(start).toBeGreaterThan(last);
            last = start;
            for (let i = 0; i < chunk.length; i++) covered.add(start + i);
          }
          for (let i = 0; i < text.length; i++) if (!/\s/.test(text[i] as string)) expect(covered.has(i)).toBe(true);
        },
      ),
    );
    expect(() => chunkText('x', { maxLength: 10, overlap: 5 })).toThrow(ValidationError);
    expect(() => chunkText('x', { maxLength: 0 })).toThrow(ConfigurationError);
  });

  it('cuts after sentences where it can', () => {
    for (const { text } of chunkText(article, { maxLength: 200, overlap: 0 })) expect(text).toMatch(/^Sentence .*\.$/s);
  });
});
