import { APIIntegration, type APIPaginateOptions, type NextPage } from '@safla/sdk/api';
import { ConfigurationError, ProtocolError, ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { parseLinks } from '../../src/api/pagination/link-header.js';
import { json, rejection, serve, type TestServer } from './support/server.js';

/** 7 items in pages of 3, told in every usual way. */
const items = Array.from({ length: 7 }, (_, index) => ({ id: index + 1 }));

let server: TestServer;
let api: APIIntegration;

beforeAll(async () => {
  server = await serve((seen, response) => {
    const url = new URL(seen.url, 'http://x');
    const number = (name: string, fallback: number): number => Number(url.searchParams.get(name) ?? fallback);
    const from = url.searchParams.has('offset') ? number('offset', 0) : (number('page', 1) - 1) * 3;
    const slice = items.slice(from, from + 3);
    const page = Math.floor(from / 3) + 1;
    const more = from + 3 < items.length;
    switch (url.pathname) {
      case '/v1/link':
        return json(
          response,
          slice,
          more ? { link: `</v1/link?page=${page + 1}>; rel="next", </v1/link?page=1>; rel=first` } : {},
        );
      case '/v1/body':
        return json(response, { data: slice, links: { next: more ? `?page=${page + 1}` : null } });
      case '/v1/cursor': {
        const start = number('after', 0);
        const cursor = start + 3 < items.length ? start + 3 : undefined;
        return json(response, { orders: items.slice(start, start + 3), meta: { cursor } });
      }
      case '/v1/count':
        return json(response, { data: { orders: slice } });
      case '/v1/same':
        return json(response, [{ id: 1 }], { link: '</v1/same>; rel=next' });
      case '/v1/ring':
        return json(response, [{ id: page }], { link: `</v1/ring?page=${(page % 4) + 1}>; rel=next` });
      case '/v1/endless':
        return json(response, [{ id: page }], { link: `<?page=${page + 1}>; rel=next` });
      case '/v1/away':
        return json(response, [{ id: 1 }], { link: `<${url.searchParams.get('to')}>; rel=next` });
      case '/v1/none':
        return json(response, { total: 0 });
      case '/v1/two':
        return json(response, { a: [], b: [] });
      case '/v1/empty':
        return response.writeHead(204).end();
      case '/v1/hang':
        return page === 1 ? json(response, [{ id: 1 }, { id: 2 }], { link: '<?page=2>; rel=next' }) : undefined;
    }
    return json(response, {}, {}, 404);
  });
  api = new APIIntegration({ baseURL: `${server.origin}/v1`, auth: 'k3y' });
});

beforeEach(() => {
  server.seen.length = 0;
});

afterAll(async () => {
  await api.close();
  await server[Symbol.asyncDispose]();
});

const ids = async (path: string, options: APIPaginateOptions = {}): Promise<number[]> =>
  (await api.paginate(path, options).toArray()).map((item) => (item as { id: number }).id);

describe('paginate', () => {
  const ways: [string, string, NextPage | undefined, APIPaginateOptions['items']?][] = [
    ['the Link field', '/link', undefined],
    ['a link in the data', '/body', { link: 'links.next' }],
    ['a cursor', '/cursor', { cursor: 'meta.cursor', param: 'after' }],
    ['page numbers, to the first empty page', '/count', { page: 'page' }, 'data.orders'],
    ['page numbers, to the first short page', '/count', { page: 'page', size: 3 }, 'data.orders'],
    ['an offset', '/count', { offset: 'offset' }, 'data.orders'],
    ['an offset with a size', '/count', { offset: 'offset', size: 3 }, 'data.orders'],
    ['a function', '/link', ({ number }) => (number < 3 ? `?page=${number + 1}` : undefined)],
  ];

  it.each(ways)('follows %s', async (_, path, next, where) => {
    expect(await ids(path, { ...(next && { next }), ...(where && { items: where }) })).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(server.seen.every((seen) => seen.headers.authorization === 'Bearer k3y')).toBe(true);
  });

  it('asks for no more pages than the loop needs', async () => {
    for await (const item of api.paginate('/link')) if ((item as { id: number }).id === 2) break;
    expect(server.seen).toHaveLength(1);
    expect(await ids('/link', { limit: 3 })).toEqual([1, 2, 3]);
    expect(server.seen).toHaveLength(2);
    expect(await ids('/link', { limit: 0 })).toEqual([]);
    expect(server.seen).toHaveLength(2);
  });

  it('begins anew with every loop', async () => {
    const pages = api.paginate('/link');
    expect(await pages.toArray()).toEqual(items);
    expect(await pages.toArray()).toEqual(items);
  });

  it('gives whole pages', async () => {
    const seen: unknown[] = [];
    for await (const page of api.paginate('/link').pages())
      seen.push([page.number, page.items.length, page.status, page.url]);
    const url = `${server.origin}/v1/link`;
    expect(seen).toEqual([
      [1, 3, 200, url],
      [2, 3, 200, `${url}?page=2`],
      [3, 1, 200, `${url}?page=3`],
    ]);
  });

  it('keeps the query and encodes parameters of the path', async () => {
    await ids('/{list}', {
      params: { list: 'cursor' },
      query: { q: 'a&b' },
      next: { cursor: 'meta.cursor', param: 'after' },
    });
    expect(server.seen.map(({ url }) => url)).toEqual([
      '/v1/cursor?q=a%26b',
      '/v1/cursor?q=a%26b&after=3',
      '/v1/cursor?q=a%26b&after=6',
    ]);
  });

  it('checks and types each item', async () => {
    const Item = z.object({ id: z.number().transform((id) => `#${id}`) });
    const pages = api.paginate('/link', { schema: Item });
    expectTypeOf(pages.toArray).returns.resolves.toEqualTypeOf<{ id: string }[]>();
    expect((await pages.toArray())[6]).toEqual({ id: '#7' });
    const Strict = z.object({ id: z.number().max(4) });
    const error = await rejection(api.paginate('/link', { schema: Strict }).toArray());
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as Error).message).toContain('item 2 on page 2 of GET');
  });

  it('takes a function that finds the items, and its type', async () => {
    const pages = api.paginate('/count', {
      items: (data) => (data as { data: { orders: { id: number }[] } }).data.orders,
    });
    expectTypeOf(pages.toArray).returns.resolves.toEqualTypeOf<{ id: number }[]>();
    expect(await pages.toArray()).toHaveLength(3);
  });

  it.each(['/same', '/ring'])('of pages that repeat (%s) ends with ProtocolError', async (path) => {
    const error = await rejection(ids(path));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(server.seen.length).toBeLessThanOrEqual(5);
  });

  it('of pages without end rejects past maxPages', async () => {
    const error = await rejection(ids('/endless', { maxPages: 5 }));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(server.seen).toHaveLength(5);
  });

  it.each(['https://evil.example/x', '//evil.example/x', '/admin', '/v1/..%2fadmin', 'javascript:alert(1)'])(
    'does not follow a link to %s',
    async (to) => {
      expect(await rejection(ids('/away', { query: { to } }))).toBeInstanceOf(ValidationError);
      expect(server.seen).toHaveLength(1);
    },
  );

  it('does not leave its origin, also for one that is allowed', async () => {
    await using open = new APIIntegration({
      baseURL: `${server.origin}/v1`,
      security: { allow: ['https://other.example'] },
    });
    const error = await rejection(open.paginate('/away', { query: { to: 'https://other.example/x' } }).toArray());
    expect(error).toBeInstanceOf(ValidationError);
  });

  it.each(['/none', '/two'])('says when it finds no list (%s)', async (path) => {
    expect(await rejection(ids(path))).toBeInstanceOf(ProtocolError);
    expect(await rejection(ids(path, { items: 'x.y' }))).toBeInstanceOf(ProtocolError);
  });

  it('takes no content for an empty page', async () => {
    expect(await ids('/empty')).toEqual([]);
  });

  it('ends by its signal between items and within a page', async () => {
    const between = new AbortController();
    const got: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const item of api.paginate('/link', { signal: between.signal })) {
        got.push(item);
        between.abort(new Error('enough'));
      }
    };
    expect(await rejection(loop())).toMatchObject({ message: 'enough' });
    expect(got).toHaveLength(1);
    const within = new AbortController();
    setTimeout(() => within.abort(new Error('too slow')), 50);
    expect(await rejection(ids('/hang', { signal: within.signal }))).toMatchObject({ message: 'too slow' });
    expect(await rejection(ids('/hang', { timeoutMs: 50 }))).toMatchObject({ code: 'TIMEOUT' });
  });

  it.each([
    { next: 'cursor' },
    { next: { cursor: 'a' } },
    { next: { curser: 'a', param: 'b' } },
    { next: null },
    { next: { offset: 'o', size: 0 } },
    { next: { page: 'p', limit: 1 } },
    { limit: -1 },
    { maxPages: 0 },
    { items: 5 },
    { schema: {} },
    { body: {} },
  ])('refuses %j', (options) => {
    expect(() => api.paginate('/link', options as unknown as APIPaginateOptions)).toThrow(ConfigurationError);
  });
});

describe('the Link field', () => {
  it.each([
    ['<a>; rel=next', [['a', ['next']]]],
    ['<a>;rel="prev NEXT"', [['a', ['prev', 'next']]]],
    [
      '<a?x=1,2;3>; title="a, \\"b\\"; c"; rel=next, <b>; rel=last',
      [
        ['a?x=1,2;3', ['next']],
        ['b', ['last']],
      ],
    ],
    ['<a>; rel=next; rel=prev', [['a', ['next']]]],
    ['<a>; rel=next; anchor="#x", <b>; rel=next', [['b', ['next']]]],
    ['<a> ; REL = next', [['a', ['next']]]],
    ['<broken; rel=next, <b>; rel=next', [['b', ['next']]]],
    ['<a>', [['a', []]]],
    ['', []],
  ])('%s', (field, expected) => {
    expect(parseLinks(field).map(({ target, rel }) => [target, rel])).toEqual(expected);
  });

  it('gives back what was written', () => {
    const token = fc.stringMatching(/^[a-z]{1,8}$/);
    const target = fc.webUrl({ withQueryParameters: true }).filter((url) => !/[<>]/.test(url));
    const quoted = fc.string({ unit: fc.constantFrom('a', ',', ';', '=', '"', '\\', '<', '>', ' ') });
    fc.assert(
      fc.property(fc.array(fc.record({ target, rel: fc.array(token, { minLength: 1 }), title: quoted })), (links) => {
        const escaped = (text: string): string => text.replaceAll(/["\\]/g, '\\$&');
        const field = links
          .map((one) => `<${one.target}>; title="${escaped(one.title)}"; rel="${one.rel.join(' ')}"`)
          .join(', ');
        expect(parseLinks(field)).toEqual(links.map(({ target, rel }) => ({ target, rel })));
      }),
    );
  });

  it('is read in linear time', () => {
    for (const piece of ['<', '<a>;', '<a>; x="', '<a>; x=y,', '; a="\\']) {
      const startedAt = process.cpuUsage().user;
      parseLinks(piece.repeat(60_000 / piece.length));
      expect(process.cpuUsage().user - startedAt).toBeLessThan(2_000_000);
    }
  });
});
