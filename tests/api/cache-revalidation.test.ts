import type { ServerResponse } from 'node:http';
import { APIIntegration, type APIIntegrationOptions, HTTPError, NotCachedError } from '@safla/sdk/api';
import { ConnectionError, withContext } from '@safla/sdk/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { json, rejection, type Seen, serve, type TestServer, until } from './support/server.js';

type Answer = (seen: Seen, response: ServerResponse, count: number) => unknown;

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

let server: TestServer;
let answer: Answer;
const opened: APIIntegration[] = [];

beforeEach(async () => {
  let count = 0;
  server = await serve((seen, response) => {
    count += 1;
    return answer(seen, response, count);
  });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((api) => api.close()));
  await server[Symbol.asyncDispose]();
});

const open = (options: Partial<APIIntegrationOptions> = {}) => {
  const api = new APIIntegration({ baseURL: server.origin, cache: true, policy: { retry: false }, ...options });
  opened.push(api);
  return api;
};
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Answers `{ n }`, stale at once unless `fresh` says otherwise, and 304 to its own validator. */
const validated =
  (control: string, more: Record<string, string> = {}): Answer =>
  (seen, response, n) => {
    const headers = { etag: '"a"', 'cache-control': control, ...more };
    if (seen.headers['if-none-match'] === '"a"') return response.writeHead(304, { ...headers, 'x-n': String(n) }).end();
    return json(response, { n }, headers);
  };
const stale = (control: string): Answer => validated(`max-age=0, ${control}`);
const broken: Answer = (_, response) => response.destroy();
const failing: Answer = (_, response) => json(response, {}, {}, 503);

describe('a stale answer', () => {
  it('is validated by its ETag, and its fields are renewed by the 304', async () => {
    answer = validated('no-cache');
    const api = open();
    await api.get('/x');
    const again = await api.request('/x');
    expect(again).toMatchObject({ data: { n: 1 }, fromCache: true, attempts: 1, status: 200, headers: { 'x-n': '2' } });
    expect(server.seen[1]?.headers['if-none-match']).toBe('"a"');
    expect(api.stats().cache).toMatchObject({ hits: 0, misses: 2, revalidated: 1 });
  });

  it('is validated by Last-Modified where there is no ETag', async () => {
    const modified = new Date(Date.now() - 1e9).toUTCString();
    answer = (seen, response, n) => {
      const headers = { 'last-modified': modified, 'cache-control': 'max-age=0' };
      if (seen.headers['if-modified-since'] === modified) return response.writeHead(304, headers).end();
      return json(response, { n }, headers);
    };
    const api = open();
    expect([await api.get('/x'), await api.get('/x')]).toEqual([{ n: 1 }, { n: 1 }]);
  });

  it('is fresh again after a 304 that says so', async () => {
    answer = (seen, response, n) => {
      const isAsked = seen.headers['if-none-match'] === '"a"';
      const headers = { etag: '"a"', 'cache-control': isAsked ? 'max-age=60' : 'max-age=0', 'content-length': '7' };
      return isAsked ? response.writeHead(304, headers).end() : json(response, { n }, headers);
    };
    const api = open();
    for (const _ of [1, 2, 3]) expect(await api.get('/x')).toEqual({ n: 1 });
    expect(server.seen).toHaveLength(2);
  });

  it('gives way to a new one', async () => {
    answer = (_, response, n) => json(response, { n }, { etag: `"${n}"`, 'cache-control': 'no-cache' });
    const api = open();
    await api.get('/x');
    expect(await api.request('/x')).toMatchObject({ data: { n: 2 }, fromCache: false });
    await api.get('/x');
    expect(server.seen[2]?.headers['if-none-match']).toBe('"2"');
  });

  it('is forgotten when the server says that it is gone', async () => {
    answer = (seen, response, n) => (n === 2 ? json(response, {}, {}, 404) : validated('no-cache')(seen, response, n));
    const api = open();
    await api.get('/x');
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 404 });
    expect(api.stats().cache?.entries).toBe(0);
  });

  it('is asked for once by callers at the same time', async () => {
    answer = validated('no-cache');
    const api = open();
    await api.get('/x');
    const all = await Promise.all(Array.from({ length: 20 }, () => api.get('/x')));
    expect(server.seen).toHaveLength(2);
    expect(new Set(all).size).toBe(20);
  });

  it('leaves the conditions of a caller to the caller', async () => {
    answer = validated('no-cache');
    const api = open();
    await api.get('/x');
    expect(await rejection(api.request('/x', { headers: { 'if-none-match': '"a"' } }))).toMatchObject({ status: 304 });
    expect((await api.request('/x', { headers: { 'if-none-match': '"b"' } })).data).toEqual({ n: 3 });
  });
});

describe('a fresh answer', () => {
  it('meets the condition of a caller with 304, without asking', async () => {
    answer = validated('max-age=60', { 'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT' });
    const api = open();
    await api.get('/x');
    for (const headers of [
      { 'if-none-match': 'W/"z", "a"' },
      { 'if-none-match': '*' },
      { 'if-modified-since': 'Thu, 02 Jan 2020 00:00:00 GMT' },
    ])
      expect(await rejection(api.request('/x', { headers }))).toMatchObject({ status: 304 });
    expect(await api.request('/x', { headers: { 'if-none-match': '"z"' } })).toMatchObject({ fromCache: true });
    expect(server.seen).toHaveLength(1);
  });

  it('gives parts of itself, and leaves several ranges to the server', async () => {
    answer = (seen, response) => {
      const headers = { 'content-type': 'text/plain', 'cache-control': 'max-age=60' };
      return response.writeHead(200, headers).end(seen.headers.range ? 'whole' : '0123456789');
    };
    const api = open();
    await api.get('/x');
    const part = (range: string) => api.request('/x', { headers: { range } });
    expect(await part('bytes=2-4')).toMatchObject({
      data: bytes('234'),
      status: 206,
      fromCache: true,
      headers: { 'content-range': 'bytes 2-4/10' },
    });
    expect((await part('bytes=7-')).data).toEqual(bytes('789'));
    expect((await part('bytes=-2')).data).toEqual(bytes('89'));
    expect((await part('bytes=8-99')).data).toEqual(bytes('89'));
    expect(server.seen).toHaveLength(1);
    for (const range of ['bytes=0-1,3-4', 'bytes=20-', 'lines=1-2', 'bytes=-'])
      expect((await part(range)).fromCache).toBe(false);
  });

  it('of a part is used for the same part only', async () => {
    answer = (seen, response, n) =>
      response
        .writeHead(206, {
          'content-type': 'text/plain',
          'cache-control': 'max-age=60',
          'content-range': 'bytes 0-1/10',
        })
        .end(`${n}${seen.headers.range}`);
    const api = open();
    const part = async (range: string) => (await api.request('/x', { headers: { range } })).data;
    expect([await part('bytes=0-1'), await part('bytes=0-1')]).toEqual([bytes('1bytes=0-1'), bytes('1bytes=0-1')]);
    expect([await part('bytes=2-3'), await api.get('/x')]).toEqual([bytes('2bytes=2-3'), bytes('3undefined')]);
  });

  it('stays as it is when a HEAD agrees with it, and goes when it does not', async () => {
    let tag = '"a"';
    answer = (seen, response, n) => {
      const headers = { etag: tag, 'cache-control': 'no-cache', 'x-n': String(n), 'content-type': 'application/json' };
      if (seen.headers['if-none-match'] === tag) return response.writeHead(304, headers).end();
      return response.writeHead(200, headers).end(seen.method === 'HEAD' ? undefined : JSON.stringify({ n }));
    };
    const api = open();
    await api.get('/x');
    await api.head('/x');
    expect(await api.get('/x')).toEqual({ n: 1 });
    tag = '"b"';
    await api.head('/x');
    expect(api.stats().cache?.entries).toBe(0);
  });
});

describe('stale-while-revalidate', () => {
  it('gives the stale answer at once and fetches a new one for the next', async () => {
    let release: () => void = () => undefined;
    answer = (_, response, n) => {
      const reply = (): void => json(response, { n }, { 'cache-control': 'max-age=0, stale-while-revalidate=60' });
      if (n === 1) return reply();
      release = reply;
    };
    const api = open();
    await api.get('/x');
    const served = await Promise.all([api.request('/x'), api.request('/x')]);
    expect(served.map(({ data, attempts }) => [data, attempts])).toEqual([
      [{ n: 1 }, 0],
      [{ n: 1 }, 0],
    ]);
    await until(() => server.seen.length === 2);
    release();
    await until(() => api.stats().cache?.stored === 2);
    expect(await api.get('/x')).toEqual({ n: 2 });
    expect(api.stats().cache).toMatchObject({ staleHits: 3, hits: 3 });
  });

  it('fetches outside of the context of the caller', async () => {
    answer = (_, response, n) => json(response, { n }, { 'cache-control': 'max-age=0, stale-while-revalidate=60' });
    const api = open();
    await api.get('/x');
    await withContext({ timeoutMs: 5_000 }, () => api.get('/x'));
    await until(() => api.stats().cache?.stored === 2);
  });

  it('can be configured, and ends', async () => {
    answer = validated('max-age=0');
    const api = open({ cache: { staleWhileRevalidateMs: 300 } });
    await api.get('/x');
    expect((await api.request('/x')).attempts).toBe(0);
    await until(() => server.seen.length === 2);
    await sleep(350);
    expect((await api.request('/x')).attempts).toBe(1);
  });

  it.each(['must-revalidate', 'no-cache'])('is overruled by %s', async (directive) => {
    answer = validated(`max-age=0, stale-while-revalidate=60, ${directive}`);
    const api = open({ cache: { staleWhileRevalidateMs: 60_000 } });
    await api.get('/x');
    expect((await api.request('/x')).attempts).toBe(1);
  });

  it("does not hold up close, and a failure in the background is nobody's", async () => {
    answer = (seen, response, n) =>
      n === 1 ? stale('stale-while-revalidate=60')(seen, response, n) : n === 2 ? response.destroy() : undefined;
    const api = open({ policy: { retry: false, breaker: false } });
    await api.get('/x');
    await api.get('/x');
    await until(() => server.seen.length === 2);
    await sleep(50);
    await api.get('/x');
    await until(() => server.seen.length === 3);
    const startedAt = performance.now();
    await api.close({ timeoutMs: 20_000 });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('when the server fails', () => {
  it.each([
    ['breaks off', broken],
    ['answers 503', failing],
  ])('and %s, stale-if-error gives the stale answer', async (_, failure) => {
    answer = stale('stale-if-error=60');
    const api = open();
    await api.get('/x');
    answer = failure;
    expect(await api.request('/x')).toMatchObject({ data: { n: 1 }, fromCache: true, attempts: 1 });
    expect(api.stats().cache?.staleOnError).toBe(1);
  });

  it('the request, or a setting, can allow it too', async () => {
    answer = stale('private');
    const [asked, configured, none] = [open(), open({ cache: { staleIfErrorMs: 60_000 } }), open()];
    for (const api of [asked, configured, none]) await api.get('/x');
    answer = failing;
    expect((await asked.request('/x', { headers: { 'cache-control': 'stale-if-error=60' } })).data).toBeDefined();
    expect((await configured.request('/x')).fromCache).toBe(true);
    expect(await rejection(none.get('/x'))).toBeInstanceOf(HTTPError);
  });

  it('a refusal is no failure: 4xx goes to the caller', async () => {
    answer = stale('stale-if-error=60');
    const api = open();
    await api.get('/x');
    answer = (_, response) => json(response, {}, {}, 403);
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 403 });
  });

  it('an open circuit counts as failure', async () => {
    answer = stale('stale-if-error=60');
    const api = open({ policy: { retry: false, breaker: { minimumCalls: 1, threshold: 0.5 } } });
    await api.get('/x');
    answer = broken;
    for (const _ of [1, 2, 3]) await api.get('/y').catch(() => undefined);
    const sent = server.seen.length;
    expect(await api.request('/x')).toMatchObject({ fromCache: true, attempts: 0 });
    expect(server.seen).toHaveLength(sent);
  });

  it('must-revalidate forbids it: without an answer there is a NotCachedError, retryable, with its cause', async () => {
    answer = stale('must-revalidate, stale-if-error=60');
    const api = open({ cache: { staleIfErrorMs: 60_000 } });
    await api.get('/x');
    answer = broken;
    const error = await rejection(api.get('/x'));
    expect(error).toBeInstanceOf(NotCachedError);
    expect(error).toMatchObject({
      code: 'NOT_CACHED',
      status: 504,
      retryable: true,
      cause: expect.any(ConnectionError),
    });
    answer = failing;
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 503 });
  });

  it('the caller who leaves gets its own reason, not an old answer', async () => {
    answer = stale('stale-if-error=60');
    const api = open();
    await api.get('/x');
    answer = () => undefined;
    const controller = new AbortController();
    const pending = rejection(api.request('/x', { signal: controller.signal }));
    await until(() => server.seen.length === 2);
    controller.abort('enough');
    expect(await pending).toBe('enough');
  });
});

describe('directives of a request', () => {
  const withControl = (control: string) => ({ headers: { 'cache-control': control } });

  it('only-if-cached never asks', async () => {
    answer = validated('max-age=60');
    const api = open();
    const error = await rejection(api.request('/x', withControl('only-if-cached')));
    expect(error).toMatchObject({ code: 'NOT_CACHED', status: 504, retryable: false });
    expect(server.seen).toHaveLength(0);
    await api.get('/x');
    expect((await api.request('/x', withControl('only-if-cached'))).fromCache).toBe(true);
  });

  it('max-stale takes an old answer, unless the server forbids it', async () => {
    for (const [control, from] of [
      ['max-age=0', true],
      ['max-age=0, must-revalidate', false],
    ] as const) {
      answer = validated(control);
      const api = open();
      await api.get('/x');
      expect((await api.request('/x', withControl('max-stale=60'))).attempts === 0).toBe(from);
      expect((await api.request('/x', withControl('max-stale'))).attempts === 0).toBe(from);
    }
  });

  it.each(['no-cache', 'max-age=0', 'min-fresh=61', 'MAX-AGE=0', 'x="a, b", no-cache'])('%s asks', async (control) => {
    answer = validated('max-age=60', { date: new Date(Date.now() - 3_000).toUTCString() });
    const api = open();
    await api.get('/x');
    expect((await api.request('/x', withControl(control))).attempts).toBe(1);
  });

  it.each(['max-age=30', 'min-fresh=10', 'x="no-cache"'])('%s is content with a fresh answer', async (control) => {
    answer = validated('max-age=60, must-revalidate');
    const api = open();
    await api.get('/x');
    expect((await api.request('/x', withControl(control))).attempts).toBe(0);
  });

  it('no-store neither reads nor fills', async () => {
    answer = validated('max-age=60');
    const api = open();
    await api.request('/x', withControl('no-store'));
    await api.get('/x');
    expect((await api.request('/x', withControl('no-store'))).fromCache).toBe(false);
    expect(server.seen).toHaveLength(3);
  });
});

describe('what is not stored', () => {
  it('an answer of another URL, where redirects led to', async () => {
    answer = (seen, response, n) =>
      seen.url === '/latest'
        ? response.writeHead(302, { location: `/v${n}` }).end()
        : json(response, { url: seen.url }, { 'cache-control': 'max-age=60' });
    const api = open();
    expect(await api.get('/latest')).toEqual({ url: '/v1' });
    expect(await api.get('/latest')).toEqual({ url: '/v3' });
    const touched = open();
    await touched.client;
    await touched.get('/latest');
    expect(touched.stats().cache?.stored).toBe(0);
  });

  it('an answer whose age cannot be read, or whose lifetime is no number', async () => {
    const api = open();
    for (const headers of [
      { 'cache-control': 'max-age=60', age: 'abc' },
      { 'cache-control': 'max-age=60', age: '-1' },
      { 'cache-control': "max-age='60'" },
      { 'cache-control': 'x="max-age=60"' },
      { 'cache-control': 'NO-STORE, max-age=60' },
      { expires: '0' },
    ] as Record<string, string>[]) {
      answer = (_, response, n) => json(response, { n }, headers);
      await api.get('/x');
      expect((await api.request('/x')).fromCache).toBe(false);
    }
  });
});

describe('Location and Content-Location of a write', () => {
  it('are forgotten too, in the same origin and where the write did not fail', async () => {
    const reply =
      (status: number): Answer =>
      (seen, response, n) =>
        seen.method === 'GET'
          ? json(response, { n }, { 'cache-control': 'max-age=60' })
          : json(response, {}, { location: '/orders/1', 'content-location': 'https://other.example/orders' }, status);
    answer = reply(500);
    const api = open();
    await api.get('/orders/1');
    await api.post('/orders').catch(() => undefined);
    expect((await api.request('/orders/1')).fromCache).toBe(true);
    answer = reply(201);
    await api.post('/orders');
    expect((await api.request('/orders/1')).fromCache).toBe(false);
    expect(api.stats().cache?.invalidated).toBe(1);
  });

  it('a POST that names its own URL and a lifetime stands for the next GET', async () => {
    answer = (_, response, n) => json(response, { n }, { 'content-location': '/x', 'cache-control': 'max-age=60' });
    const api = open();
    await api.get('/x');
    await api.post('/x', {});
    expect(await api.request('/x')).toMatchObject({ data: { n: 2 }, fromCache: true });
  });
});

describe('a shared cache', () => {
  const who = async (api: APIIntegration, token?: string) =>
    (await api.request('/x', token ? { headers: { authorization: token } } : {})).data;
  const speak = (control: string): void => {
    answer = (seen, response) =>
      json(response, { who: seen.headers.authorization ?? 'nobody' }, { 'cache-control': control });
  };

  it('gives an answer to a credential to others only where the server says so', async () => {
    const api = open({ cache: { shared: true } });
    speak('max-age=60');
    expect([await who(api, 'alice'), await who(api, 'bob'), await who(api)]).toEqual(
      ['alice', 'bob', 'nobody'].map((name) => ({ who: name })),
    );
    for (const control of ['public, max-age=60', 's-maxage=60', 'max-age=60, must-revalidate']) {
      speak(control);
      const other = open({ cache: { shared: true } });
      expect([await who(other, 'alice'), await who(other, 'bob')]).toEqual([{ who: 'alice' }, { who: 'alice' }]);
    }
  });

  it('does not keep what is private, and does not guess for cookies', async () => {
    const api = open({ cache: { shared: true, heuristicMs: 60_000 } });
    for (const headers of [
      { 'cache-control': 'private, max-age=60' },
      { 'cache-control': 'private' },
      { 'set-cookie': 'sid=1' },
    ]) {
      answer = (_, response, n) => json(response, { n }, headers as unknown as Record<string, string>);
      await api.get('/y');
      expect((await api.request('/y')).fromCache).toBe(false);
    }
  });
});
