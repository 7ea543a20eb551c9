import type { ServerResponse } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { APIIntegration, type APIIntegrationOptions } from '@safla/sdk/api';
import { ConfigurationError } from '@safla/sdk/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HTTPCache } from '../../src/api/cache/http-cache.js';
import { json, rejection, type Seen, serve, type TestServer, until } from './support/server.js';

let server: TestServer;
let answer: (seen: Seen, response: ServerResponse, count: number) => unknown;
const opened: APIIntegration[] = [];

beforeEach(async () => {
  let count = 0;
  answer = (_, response, n) => json(response, { n });
  server = await serve((seen, response) => {
    count += 1;
    return answer(seen, response, count);
  });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((api) => api.close()));
  await server[Symbol.asyncDispose]();
});

const heapUsed = (collect: () => void): number => {
  collect();
  return process.memoryUsage().heapUsed;
};
const keep = (api: APIIntegration): APIIntegration => {
  opened.push(api);
  return api;
};
const positional = () => keep(new APIIntegration(server.origin, 'key'));
const withOptions = (options: Partial<APIIntegrationOptions> = {}) =>
  keep(new APIIntegration({ baseURL: server.origin, cache: true, ...options }));
const withAge = (seconds: number, more: Record<string, string> = {}) => {
  answer = (_, response, n) => json(response, { n }, { 'cache-control': `max-age=${seconds}`, ...more });
};

describe('what the server says', () => {
  it('no-store is obeyed, also in the positional form', async () => {
    answer = (_, response, n) => json(response, { n }, { 'cache-control': 'no-store' });
    const api = positional();
    expect([await api.get('/x'), await api.get('/x')]).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it.each(['no-cache', 'max-age=0', 'must-revalidate, max-age=0'])('%s is not used without asking', async (value) => {
    answer = (_, response, n) => json(response, { n }, { 'cache-control': value });
    const api = positional();
    expect([await api.get('/x'), await api.get('/x')]).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it.each(['max-age=60', 'private, max-age=60', 'max-age=60, must-revalidate'])('%s is used', async (value) => {
    answer = (_, response, n) => json(response, { n }, { 'cache-control': value });
    const api = withOptions();
    expect([await api.get('/x'), await api.get('/x')]).toEqual([{ n: 1 }, { n: 1 }]);
  });

  it('Age counts against the lifetime, and Expires gives one', async () => {
    withAge(60, { age: '60' });
    const api = withOptions();
    expect([await api.get('/old'), await api.get('/old')]).toEqual([{ n: 1 }, { n: 2 }]);
    answer = (_, response, n) => json(response, { n }, { expires: new Date(Date.now() + 60_000).toUTCString() });
    expect([await api.get('/x'), await api.get('/x')]).toEqual([{ n: 3 }, { n: 3 }]);
  });

  it('an answer is asked for again when its time is over', async () => {
    withAge(1);
    const api = withOptions();
    expect([await api.get('/x'), await api.get('/x')]).toEqual([{ n: 1 }, { n: 1 }]);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await api.get('/x')).toEqual({ n: 2 });
  });

  it('Vary keeps variants apart, and * keeps nothing', async () => {
    answer = (seen, response, n) =>
      json(
        response,
        { n, lang: seen.headers['accept-language'] },
        { 'cache-control': 'max-age=60', vary: 'Accept-Language' },
      );
    const api = withOptions();
    const get = async (lang: string) => (await api.request('/x', { headers: { 'accept-language': lang } })).data;
    expect(await get('de')).toEqual({ n: 1, lang: 'de' });
    expect(await get('fr')).toEqual({ n: 2, lang: 'fr' });
    expect(await get('de')).toEqual({ n: 1, lang: 'de' });
    expect(await get('fr')).toEqual({ n: 2, lang: 'fr' });
    withAge(60, { vary: '*' });
    expect([await api.get('/y'), await api.get('/y')]).toEqual([{ n: 3 }, { n: 4 }]);
  });

  it('nothing at all means 5 minutes in the positional form, and no storing with options', async () => {
    const seed = positional();
    expect([await seed.get('/x'), await seed.get('/x')]).toEqual([{ n: 1 }, { n: 1 }]);
    const strict = withOptions();
    expect([await strict.get('/x'), await strict.get('/x')]).toEqual([{ n: 2 }, { n: 3 }]);
    const short = withOptions({ cache: { heuristicMs: 500 } });
    expect([await short.get('/x'), await short.get('/x')]).toEqual([{ n: 4 }, { n: 4 }]);
    await new Promise((resolve) => setTimeout(resolve, 550));
    expect(await short.get('/x')).toEqual({ n: 5 });
  });

  it('the request can ask for something younger', async () => {
    withAge(60);
    const api = withOptions();
    await api.get('/x');
    const fresh = await api.request('/x', { headers: { 'cache-control': 'no-cache' } });
    expect([fresh.fromCache, fresh.data]).toEqual([false, { n: 2 }]);
  });
});

describe('hits', () => {
  it('say so, tell their age, send nothing and take no token of the rate', async () => {
    const api = positional();
    await api.get('/x');
    await new Promise((resolve) => setTimeout(resolve, 30));
    const hit = await api.request('/x');
    expect(hit).toMatchObject({ fromCache: true, attempts: 0, status: 200, data: { n: 1 } });
    expect(hit.ageMs).toBeGreaterThanOrEqual(25);
    expect(hit.headers.age).toBe('0');
    expect(server.seen).toHaveLength(1);
    expect(api.stats()).toMatchObject({
      cache: { hits: 1, misses: 1, stored: 1 },
      policy: { limiter: { granted: 1 } },
    });
  });

  it('are fresh copies: what a caller changes stays with the caller', async () => {
    answer = (seen, response) =>
      seen.url === '/bytes'
        ? response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from([1, 2, 3]))
        : json(response, { list: [1] });
    const api = positional();
    for (const _ of [1, 2, 3]) {
      const data = (await api.get('/x')) as { list: number[] };
      expect(data).toEqual({ list: [1] });
      data.list.push(2);
      const bytes = (await api.get('/bytes')) as Uint8Array;
      expect([...bytes]).toEqual([1, 2, 3]);
      bytes.fill(0);
    }
    expect(server.seen).toHaveLength(2);
  });

  it('are found by the final URL: parameters of every kind, in any order of properties', async () => {
    answer = (seen, response) => json(response, { url: seen.url });
    const api = positional();
    expect(await api.get('/x', new URLSearchParams({ id: '1' }))).toEqual({ url: '/x?id=1' });
    expect(await api.get('/x', new URLSearchParams({ id: '2' }))).toEqual({ url: '/x?id=2' });
    expect(await api.get('/x', new Map([['id', 3]]))).toEqual({ url: '/x?id=3' });
    await api.get('/x', { a: 1, b: 2 });
    await api.get('x', { b: 2, a: 1 });
    await api.get('/x?a=1&b=2');
    expect(server.seen).toHaveLength(4);
  });

  it('useCache false neither reads nor fills', async () => {
    const api = positional();
    expect(await api.get('/x', undefined, false)).toEqual({ n: 1 });
    expect(await api.get('/x')).toEqual({ n: 2 });
    expect(await api.get('/x', undefined, false)).toEqual({ n: 3 });
    expect(await api.get('/x')).toEqual({ n: 2 });
  });

  it('are of GET and HEAD without body only', async () => {
    withAge(60);
    const api = withOptions();
    await api.get('/x');
    const head = await api.head('/x');
    expect([head.fromCache, head.data, head.headers['content-type']]).toEqual([true, undefined, 'application/json']);
    expect((await api.request('/x', { method: 'GET', body: 'why' })).fromCache).toBe(false);
    expect((await api.request('/x', { method: 'POST' })).fromCache).toBe(false);
  });

  it('of a failure are the same failure, where the server gave it a time', async () => {
    answer = (_, response, n) => json(response, { n }, { 'cache-control': 'max-age=60' }, 404);
    const api = withOptions();
    for (const _ of [1, 2]) expect(await rejection(api.get('/x'))).toMatchObject({ status: 404, data: { n: 1 } });
    expect(server.seen).toHaveLength(1);
  });

  it.each([401, 408, 425, 429, 500, 502, 503, 504])('are never a %s: asking again may mend it', async (status) => {
    answer = (_, response, n) => json(response, { n }, { 'cache-control': 'max-age=60' }, n === 1 ? status : 200);
    const api = withOptions({ policy: { retry: false } });
    expect(await rejection(api.get('/x'))).toMatchObject({ status });
    expect(await api.get('/x')).toEqual({ n: 2 });
  });

  it('are not guessed for failures', async () => {
    answer = (_, response, n) => json(response, { n }, {}, n === 1 ? 404 : 200);
    const api = positional();
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 404 });
    expect(await api.get('/x')).toEqual({ n: 2 });
  });
});

describe('principals', () => {
  it('do not see each other, whether told apart by auth, header or cookie', async () => {
    answer = (seen, response) =>
      json(
        response,
        { who: seen.headers.authorization ?? seen.headers.cookie ?? 'nobody' },
        { 'cache-control': 'max-age=60' },
      );
    let token = 'alice';
    const api = withOptions({ auth: () => token });
    expect(await api.get('/me')).toEqual({ who: 'Bearer alice' });
    token = 'bob';
    expect(await api.get('/me')).toEqual({ who: 'Bearer bob' });
    token = 'alice';
    expect((await api.request('/me')).fromCache).toBe(true);
    expect((await api.request('/me', { headers: { authorization: 'Bearer carol' } })).data).toEqual({
      who: 'Bearer carol',
    });
    const plain = withOptions();
    for (const who of ['sid=1', 'sid=2', 'sid=1'])
      expect((await plain.request('/me', { headers: { cookie: who } })).data).toEqual({ who });
    expect(await plain.get('/me')).toEqual({ who: 'nobody' });
  });

  it('set on the axios instance by hand count too', async () => {
    answer = (seen, response) => json(response, { who: seen.headers.authorization }, { 'cache-control': 'max-age=60' });
    const api = withOptions();
    const client = await api.client;
    for (const who of ['Bearer alice', 'Bearer bob']) {
      client.defaults.headers.common.Authorization = who;
      expect(await api.get('/me')).toEqual({ who });
    }
  });

  it('are not all that the axios instance can add: what answers vary by counts too', async () => {
    answer = (seen, response) =>
      json(
        response,
        { lang: seen.headers['accept-language'] },
        { 'cache-control': 'max-age=60', vary: 'accept-language' },
      );
    const api = withOptions();
    const client = await api.client;
    for (const lang of ['de', 'fr', 'de']) {
      client.defaults.headers.common['Accept-Language'] = lang;
      expect(await api.get('/x')).toEqual({ lang });
    }
    expect(server.seen).toHaveLength(2);
  });

  it('set by an interceptor are never stored under somebody else', async () => {
    answer = (seen, response) => json(response, { who: seen.headers.authorization }, { 'cache-control': 'max-age=60' });
    const api = withOptions();
    const client = await api.client;
    let who = 'Bearer alice';
    client.interceptors.request.use((config) => {
      config.headers.set('Authorization', who);
      return config;
    });
    expect(await api.get('/me')).toEqual({ who });
    who = 'Bearer bob';
    expect(await api.get('/me')).toEqual({ who });
  });
});

describe('writes', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('by %s make the next GET of the URL ask again', async (method) => {
    withAge(60);
    const api = withOptions();
    expect(await api.get('/orders/1')).toEqual({ n: 1 });
    await api.get('/orders/2');
    await api.request('/orders/1', { method });
    expect(await api.get('/orders/1')).toEqual({ n: 4 });
    expect((await api.request('/orders/2')).fromCache).toBe(true);
  });

  it('count for every principal, and also when they fail', async () => {
    answer = (seen, response, n) =>
      json(response, { n }, { 'cache-control': 'max-age=60' }, seen.method === 'PUT' ? 500 : 200);
    let token = 'alice';
    const api = withOptions({ auth: () => token, policy: { retry: false } });
    await api.get('/x');
    token = 'bob';
    expect(await rejection(api.put('/x', {}))).toMatchObject({ status: 500 });
    token = 'alice';
    expect((await api.request('/x')).fromCache).toBe(false);
  });

  it('end what is under way: an answer from before the write is neither kept nor shared', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    answer = async (seen, response, n) => {
      if (n === 1) await held;
      return json(response, { n, method: seen.method }, { 'cache-control': 'max-age=60' });
    };
    const api = withOptions();
    const before = api.get('/x');
    await until(() => server.seen.length === 1);
    await api.put('/x', {});
    const after = api.get('/x');
    await until(() => server.seen.length === 3);
    release();
    expect(await before).toMatchObject({ n: 1 });
    expect(await after).toMatchObject({ n: 3 });
    expect(await api.get('/x')).toMatchObject({ n: 3 });
  });
});

describe('callers at the same time', () => {
  it('share one request, and each gets its own data', async () => {
    const api = positional();
    const all = (await Promise.all(Array.from({ length: 50 }, () => api.get('/x')))) as { n: number }[];
    expect(server.seen).toHaveLength(1);
    expect(new Set(all).size).toBe(50);
    expect(all.every(({ n }) => n === 1)).toBe(true);
  });

  it('do not share with other headers, URLs or principals', async () => {
    let token = 0;
    const api = withOptions({ auth: () => ({ type: 'bearer', token: `t${++token}` }) });
    await Promise.all([api.get('/x'), api.get('/y'), api.request('/x', { headers: { 'x-a': '1' } })]);
    await api.get('/x');
    expect(server.seen).toHaveLength(4);
  });

  it('go on when one of them gives up, and the request ends with the last', async () => {
    let closed = 0;
    let release: () => void = () => undefined;
    answer = (_, response) => {
      response.on('close', () => {
        closed += 1;
      });
      release = () => json(response, { ok: true });
    };
    const api = positional();
    const [first, second] = [new AbortController(), new AbortController()];
    const a = rejection(api.request('/x', { signal: first.signal }));
    const b = api.request('/x', { signal: second.signal });
    await until(() => server.seen.length === 1);
    first.abort('a left');
    expect(await a).toBe('a left');
    expect(closed).toBe(0);
    release();
    expect((await b).data).toEqual({ ok: true });

    const third = new AbortController();
    const c = rejection(api.request('/y', { signal: third.signal }));
    await until(() => server.seen.length === 2);
    third.abort('all left');
    expect(await c).toBe('all left');
    await until(() => closed === 2);
  });

  it('do not share a failure that is over', async () => {
    answer = (_, response, n) => json(response, { n }, {}, n === 1 ? 400 : 200);
    const api = positional();
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 400 });
    expect(await api.get('/x')).toEqual({ n: 2 });
  });
});

describe('bounds', () => {
  it('hold in bytes: the least recently used go first, too large ones are not kept', async () => {
    answer = (seen, response) =>
      response
        .writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'max-age=60' })
        .end('x'.repeat(seen.url === '/huge' ? 60_000 : 9_000));
    const api = withOptions({ cache: { maxBytes: 50_000 } });
    for (let i = 0; i < 20; i++) await api.get(`/${i}`);
    const { cache } = api.stats();
    expect(cache?.bytes).toBeLessThanOrEqual(50_000);
    expect(cache?.evicted).toBeGreaterThanOrEqual(15);
    expect((await api.request('/19')).fromCache).toBe(true);
    expect((await api.request('/0')).fromCache).toBe(false);
    await api.get('/huge');
    expect((await api.request('/huge')).fromCache).toBe(false);
  });

  it('hold for the variants of one URL', async () => {
    answer = (_, response) => json(response, {}, { 'cache-control': 'max-age=60', vary: 'x-a' });
    const api = withOptions();
    for (let i = 0; i < 40; i++) await api.request('/x', { headers: { 'x-a': String(i) } });
    expect((await api.request('/x', { headers: { 'x-a': '39' } })).fromCache).toBe(true);
    expect((await api.request('/x', { headers: { 'x-a': '0' } })).fromCache).toBe(false);
  });

  it('hold for what the cache knows of URLs whose answers were dropped for their size', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const cache = new HTTPCache({ maxEntryBytes: 40_000 });
    const fill = { id: 1, valid: true, users: 1 };
    const small = { status: 200, headers: { 'cache-control': 'max-age=60', vary: 'x' }, body: new Uint8Array(10) };
    const large = { ...small, body: new Uint8Array(40_000) };
    const urls = 3_000;
    const before = heapUsed(collect);
    for (let n = 0; n < urls; n++) {
      const url = `https://api.example.com/${n}${'x'.repeat(8_000)}`;
      const request = { method: 'GET', url, principal: '', hasCredentials: false };
      const now = Date.now();
      const exchanged = { requestedAt: now, receivedAt: now };
      await cache.store({ ...request, headers: { x: '1' } }, small, exchanged, fill);
      cache.forget({ ...request, headers: { x: '1' } });
      await cache.store({ ...request, headers: { x: '2' } }, large, exchanged, fill);
    }
    expect(cache.stats()).toMatchObject({ stored: urls, bytes: 0 });
    // Kept, the texts of the URLs alone would be 24 MB.
    expect(heapUsed(collect) - before).toBeLessThan(12e6);
  });

  it('are checked', () => {
    expect(() => withOptions({ cache: { maxBytes: 0 } })).toThrow(ConfigurationError);
    expect(() => withOptions({ cache: { heuristicMs: -1 } })).toThrow(ConfigurationError);
  });
});
