import { APIIntegration, path } from '@safla/sdk/api';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BaseURL } from '../../src/api/base-url.js';
import { rejection, serve, type TestServer } from './support/server.js';

let server: TestServer;
let api: APIIntegration;

beforeAll(async () => {
  server = await serve((_, response) => response.writeHead(204).end());
  api = new APIIntegration({ baseURL: `${server.origin}/v1`, auth: 'k3y' });
});

beforeEach(() => {
  server.seen.length = 0;
});

afterAll(async () => {
  await api.close();
  await server[Symbol.asyncDispose]();
});

describe('endpoints', () => {
  it.each([
    ['/orders', '/v1/orders'],
    ['orders', '/v1/orders'],
    ['', '/v1'],
    ['/', '/v1/'],
    ['?page=2', '/v1?page=2'],
    ['/a/../b', '/v1/b'],
    ['/files/lib%2Fx.rb', '/v1/files/lib%2Fx.rb'],
    ['/map;v=1/..x;y', '/v1/map;v=1/..x;y'],
    ['/50%2525', '/v1/50%2525'],
    ['/projects:search', '/v1/projects:search'],
    ['projects:search', '/v1/projects:search'],
    ['/x#fragment', '/v1/x'],
    ['/redirect?to=https://evil.example//x', '/v1/redirect?to=https://evil.example//x'],
  ])('%j is sent as %s', async (endpoint, url) => {
    await api.get(endpoint);
    expect(server.seen[0]?.url).toBe(url);
  });

  it('that are absolute links of the same origin under the base are followed', async () => {
    await api.get(`${server.origin}/v1/orders?page=2`);
    expect(server.seen[0]?.url).toBe('/v1/orders?page=2');
    expect(server.seen[0]?.headers.authorization).toBe('Bearer k3y');
  });

  it.each([
    'https://evil.example/x',
    'HTTP://evil.example/x',
    'http://127.0.0.1:1/v1/x',
    'file:///etc/passwd',
    '//evil.example/x',
    '/\\evil.example/x',
    '\\\\evil.example/x',
    ' //evil.example/x',
    '\thttps://evil.example/x',
    'ht\ntps://evil.example',
    '/../admin',
    '/../../admin',
    '../admin',
    'a/../../admin',
    '/%2e%2e/admin',
    '/.%2E/admin',
    '/..%2fadmin',
    '/..%5cadmin',
    '/%252e%252e%252fadmin',
    '/%25252e%25252e%25252fadmin',
    '/%2525252525252e',
    '/..\\admin',
    '/x\0',
    '/../v1x/orders',
    '/..;/admin',
    '/.%2e;/admin',
    '/..;v=1/admin',
    '/..%3b/admin',
    '/..%253bx/admin',
    '/;/..%2fadmin',
    '/orders/..;/admin',
    '/.;/orders',
  ])('%j is refused before anything is sent', async (endpoint) => {
    expect(await rejection(api.get(endpoint))).toBeInstanceOf(ValidationError);
    expect(server.seen).toEqual([]);
  });

  it('that leave the base path by an absolute link, or bring credentials, are refused', async () => {
    const host = server.origin.slice('http://'.length);
    for (const url of [
      `${server.origin}/admin`,
      `${server.origin}/v1/..%2fadmin`,
      `${server.origin}/v1/%252e%252e%5cadmin`,
      `${server.origin}/v1/../admin`,
      `${server.origin}/v1/..;/admin`,
      `http://u:p@${host}/v1/x`,
      `${server.origin}/v10`,
    ])
      expect(await rejection(api.get(url))).toBeInstanceOf(ValidationError);
    expect(server.seen).toEqual([]);
  });

  it.each([undefined, null, 5, {}])('%o is refused', async (endpoint) => {
    expect(await rejection(api.get(endpoint as unknown as string))).toBeInstanceOf(ValidationError);
  });

  it('stay under the base in every reading, whatever they are', () => {
    const base = new BaseURL('https://api.example.com/v1', 'baseURL');
    const piece = fc.constantFrom(
      '..',
      '.',
      '/',
      '\\',
      '%2e',
      '%2E',
      '%2f',
      '%5c',
      '%25',
      '2e',
      ';',
      '%3b',
      'a',
      '//',
      ':',
      '@',
      '?',
      '#',
      ' ',
      '\t',
      'https:',
      'evil.example',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
        (endpoint) => {
          let url: URL;
          try {
            url = base.resolve(endpoint);
          } catch (error) {
            expect(error).toBeInstanceOf(ValidationError);
            return;
          }
          expect(url.origin).toBe('https://api.example.com');
          let reading = url.pathname;
          for (let round = 0; round < 4; round++) {
            const slashes = reading.replaceAll('\\', '/');
            const withoutParameters = slashes.replaceAll(/;[^/]*/g, '').replaceAll(/\/{2,}/g, '/');
            for (const route of [slashes, withoutParameters]) {
              const resolved = new URL(`https://x${route}`).pathname;
              expect(resolved === '/v1' || resolved.startsWith('/v1/')).toBe(true);
            }
            reading = reading.replaceAll(/%(2e|2f|3b|5c|25)/gi, (escaped) => decodeURIComponent(escaped));
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

describe('redirects', () => {
  const redirecting = (target: string) =>
    serve((seen, response) =>
      seen.url === '/v1/old' ? response.writeHead(302, { location: target }).end() : response.writeHead(204).end(),
    );

  it.each(['/admin', '/v10/x', '../admin', '/v1/..;/admin', '/v1/..%2fadmin', '/v1/%252e%252e/admin'])(
    'to %s leave the base and are not followed',
    async (target) => {
      await using moving = await redirecting(target);
      await using guarded = new APIIntegration({ baseURL: `${moving.origin}/v1`, auth: 'k3y' });
      expect(await rejection(guarded.get('/old'))).toMatchObject({ status: 302, headers: { location: target } });
      expect(moving.seen).toHaveLength(1);
    },
  );

  it('that stay under the base are followed with the credential', async () => {
    await using moving = await redirecting('/v1/new?page=2');
    await using guarded = new APIIntegration({ baseURL: `${moving.origin}/v1`, auth: 'k3y' });
    await guarded.get('/old');
    expect(moving.seen.map((seen) => [seen.url, seen.headers.authorization])).toEqual([
      ['/v1/old', 'Bearer k3y'],
      ['/v1/new?page=2', 'Bearer k3y'],
    ]);
  });

  it('of a base without a path are followed anywhere in the origin', async () => {
    await using moving = await redirecting('/admin');
    await using free = new APIIntegration({ baseURL: moving.origin });
    expect((await free.request('/v1/old')).status).toBe(204);
  });
});

describe('path', () => {
  it.each([
    ['1?admin=1', '/orders/1%3Fadmin%3D1/lines'],
    ['../x', '/orders/..%2Fx/lines'],
    ['a/b', '/orders/a%2Fb/lines'],
    ['#top', '/orders/%23top/lines'],
    ['ü %', '/orders/%C3%BC%20%25/lines'],
    [7, '/orders/7/lines'],
    [7n, '/orders/7/lines'],
    [true, '/orders/true/lines'],
  ])('keeps %s inside its segment', (id, expected) => {
    expect(path`/orders/${id}/lines`).toBe(expected);
  });

  it.each([undefined, null, Number.NaN, {}, [], '', '.', '..', '\ud800'])('refuses %o', (id) => {
    expect(() => path`/orders/${id as string}/lines`).toThrow(ValidationError);
  });

  it('refuses dots that only together are a dot segment', () => {
    expect(() => path`/orders/${'.'}${'.'}/x`).toThrow(ValidationError);
    expect(() => path`/orders/.${'.'}/x`).toThrow(ValidationError);
    expect(() => path`/orders/%2e${'.'}/x`).toThrow(ValidationError);
  });

  it('takes empty values and dots where they are harmless', () => {
    expect(path`/files/${''}.json?q=${''}&r=${'..'}`).toBe('/files/.json?q=&r=..');
    expect(path`/plain`).toBe('/plain');
  });

  it('lets no value change which resource is asked', async () => {
    const base = new BaseURL('https://api.example.com/v1', 'baseURL');
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (id) => {
        let endpoint: string;
        try {
          endpoint = path`/orders/${id}/lines`;
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
          return;
        }
        // What the guard refuses on top is refused with the same error.
        let url: URL;
        try {
          url = base.resolve(endpoint);
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
          return;
        }
        const [empty, v1, orders, value, lines, ...rest] = url.pathname.split('/');
        expect([empty, v1, orders, lines, rest.length, url.search]).toEqual(['', 'v1', 'orders', 'lines', 0, '']);
        expect(decodeURIComponent(value ?? '')).toBe(id);
      }),
      { numRuns: 2_000 },
    );
  });
});
