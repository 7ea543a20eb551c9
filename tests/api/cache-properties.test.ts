import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partOf } from '../../src/api/cache/byte-range.js';
import { directivesOf, secondsOf } from '../../src/api/cache/cache-control.js';
import { contentReader, decodedBytes } from '../../src/api/cache/content-reader.js';
import { storableFields, updatedFields } from '../../src/api/cache/header-fields.js';
import { HTTPCache } from '../../src/api/cache/http-cache.js';

const token = fc.stringMatching(/^[a-z][a-z-]{0,12}$/);
const encode = (data: unknown) => ({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(data)) });
const decode = ({ body }: { body: Uint8Array }): unknown => JSON.parse(Buffer.from(body).toString());

describe('Cache-Control', () => {
  it('is read back as it was written, in any case, spacing and quoting', () => {
    const value = fc.oneof(
      fc.constant(true as const),
      fc.stringMatching(/^[0-9a-z]{1,8}$/),
      fc.stringMatching(/^[ ,=a-z"\\]{0,12}$/),
    );
    const member = fc.record({ name: token, value, upper: fc.boolean(), space: fc.constantFrom('', ' ', '\t ') });
    const write = (text: string): string =>
      /^[0-9a-z]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: ({ name }) => name, maxLength: 8 }), (members) => {
        const field = members
          .map(
            ({ name, value: v, upper, space }) =>
              `${space}${upper ? name.toUpperCase() : name}${v === true ? '' : `=${write(v)}`}`,
          )
          .join(',');
        expect([...directivesOf(field)]).toEqual(members.map(({ name, value: v }) => [name, v]));
      }),
    );
  });

  it('never throws, ends, and finds every directive that stands alone between commas', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        fc.pre(!before.includes('"'));
        expect(directivesOf(`${before},no-store,${after}`).has('no-store')).toBe(true);
      }),
    );
    const startedAt = process.cpuUsage();
    for (const hostile of ['"'.repeat(1e5), ',='.repeat(1e5), '\\"'.repeat(1e5), 'a="'.repeat(5e4), ' '.repeat(1e5)])
      directivesOf(hostile);
    expect(process.cpuUsage(startedAt).user).toBeLessThan(5e6);
  });

  it('lifetimes are whole seconds or nothing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const seconds = secondsOf(directivesOf(`max-age=${text}`), 'max-age') ?? Number.NaN;
        expect(Number.isSafeInteger(seconds) && seconds >= 0).toBe(true);
      }),
    );
    expect(secondsOf(directivesOf('max-age=99999999999'), 'max-age')).toBe(2_147_483_648);
    expect(secondsOf(directivesOf('max-age=1, max-age=9'), 'max-age')).toBe(1);
  });
});

describe('data of a stored answer', () => {
  it('is equal for every reader and shared by none', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        const read = contentReader(encode(data), decode);
        const expected = JSON.parse(JSON.stringify(data)) as unknown;
        const first = read();
        expect(first).toEqual(expected);
        spoil(first);
        expect(read()).toEqual(expected);
      }),
    );
  });

  it('keeps names that objects treat specially, and any depth', () => {
    const text = '{"__proto__":{"a":1},"constructor":2,"toString":null}';
    const read = contentReader({ status: 200, headers: {}, body: Buffer.from(text) }, decode);
    for (const _ of [1, 2]) expect(JSON.stringify(read())).toBe(text);
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    const readDeep = contentReader({ status: 200, headers: {}, body: Buffer.from(deep) }, decode);
    const [first, second] = [readDeep(), readDeep()];
    expect(Object.is(first, second)).toBe(false);
  });

  it('counts for more than its text, most where it has many objects', () => {
    const text = (length: number) => encode('x'.repeat(length));
    expect(decodedBytes(text(1_000))).toBeGreaterThanOrEqual(2_000);
    expect(decodedBytes(encode(Array.from({ length: 1_000 }, () => ({}))))).toBeGreaterThan(60_000);
    expect(decodedBytes({ headers: { 'content-type': 'image/png' }, body: new Uint8Array(10) })).toBe(10);
  });
});

describe('fields', () => {
  const fields = fc.dictionary(
    fc.constantFrom('etag', 'age', 'content-length', 'x-a', 'x-b', 'connection', 'te', 'date'),
    token,
  );

  it('of a 304 stand over the stored ones, but for those of the content and of the connection', () => {
    fc.assert(
      fc.property(fields, fields, (stored, update) => {
        const merged = updatedFields(stored, update);
        for (const name of ['x-a', 'x-b', 'date'])
          if ((update.connection ?? '') !== name && stored.connection !== name)
            expect(merged[name]).toBe(update[name] ?? stored[name]);
        for (const name of ['etag', 'content-length'])
          expect(merged[name]).toBe(stored.connection === name ? undefined : stored[name]);
        expect(merged.age).toBe(update.age);
        expect(['connection', 'te'].some((name) => name in merged)).toBe(false);
      }),
    );
  });

  it('listed in Connection are not stored', () => {
    expect(storableFields({ connection: 'close, X-Hop', 'x-hop': '1', 'x-end': '2' })).toEqual({ 'x-end': '2' });
  });
});

describe('parts', () => {
  it('are what the content has at the range, or left to the server', () => {
    const number = fc.option(fc.nat(30), { nil: undefined });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), number, number, (body, first, last) => {
        const part = partOf({ status: 200, headers: {}, body }, `bytes=${first ?? ''}-${last ?? ''}`);
        if (!part) return;
        const [, from, to, size] =
          /^bytes (\d+)-(\d+)\/(\d+)$/.exec(part.headers['content-range'] ?? '')?.map(Number) ?? [];
        expect(size).toBe(body.byteLength);
        expect([...part.body]).toEqual([...body.slice(from, (to ?? 0) + 1)]);
        if (first !== undefined) expect(from).toBe(first);
        else expect(part.body.byteLength).toBe(Math.min(last ?? 0, body.byteLength));
      }),
    );
  });
});

describe('the bound in bytes', () => {
  it('holds after any stores, for any variants, and clear gives all back', async () => {
    const step = fc.record({
      url: fc.nat(5),
      variant: fc.nat(3),
      bytes: fc.nat(6_000),
      principal: fc.constantFrom('', 'a'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const cache = new HTTPCache({ maxBytes: 20_000, maxEntryBytes: 9_000 });
        for (const { url, variant, bytes, principal } of steps) {
          const now = Date.now();
          const request = {
            method: 'GET',
            url: `https://a.example/${url}`,
            principal,
            hasCredentials: principal !== '',
            headers: { x: String(variant) },
          };
          const answer = {
            status: 200,
            headers: { 'cache-control': 'max-age=60', vary: 'x', 'content-type': 'a/b' },
            body: new Uint8Array(bytes),
          };
          const fill = cache.beginFill(request.url);
          await cache.store(request, answer, { requestedAt: now, receivedAt: now }, fill);
          cache.endFill(request.url, fill);
          const fits = 2 * bytes < 9_000 - 1_500;
          if (fits)
            expect(cache.lookup(request)).toMatchObject({ use: 'fresh', answer: { body: { byteLength: bytes } } });
          if (2 * bytes > 9_000) expect(cache.lookup(request)).toBeUndefined();
          expect(cache.stats().bytes).toBeLessThanOrEqual(20_000);
        }
        cache.clear();
        expect(cache.stats()).toMatchObject({ bytes: 0, entries: 0 });
      }),
    );
  });
});

function spoil(data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  for (const [name, value] of Object.entries(data)) {
    spoil(value);
    delete (data as Record<string, unknown>)[name];
  }
  (data as Record<string, unknown>).spoilt = true;
}
