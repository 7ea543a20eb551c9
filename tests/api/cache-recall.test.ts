import { APIIntegration, type APIIntegrationOptions, type APIMiddleware, type Query } from '@safla/sdk/api';
import { ClosedError, ConfigurationError, ValidationError, withContext } from '@safla/sdk/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { json, rejection, serve, type TestServer } from './support/server.js';

let server: TestServer;
const opened: APIIntegration[] = [];

beforeEach(async () => {
  server = await serve((seen, response) => {
    const { url, headers } = seen;
    const data = { url, lang: headers['accept-language'] ?? 'none', list: [{ deep: [1] }] };
    return json(response, data, { 'cache-control': 'max-age=60', vary: 'accept-language' });
  });
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((api) => api.close()));
  await server[Symbol.asyncDispose]();
});

const open = (options: Partial<APIIntegrationOptions> = {}) => {
  const api = new APIIntegration({ baseURL: server.origin, auth: 'key', cache: true, ...options });
  opened.push(api);
  return api;
};
/** Asks until the call is known: once to store, once to learn it. */
async function warm(api: APIIntegration, path: string, options: Parameters<APIIntegration['request']>[1] = {}) {
  for (const _ of [1, 2]) await api.request(path, options);
}

describe('a call that comes again', () => {
  it('gets what the first hit got, as a copy of its own', async () => {
    const api = open();
    const seen = [];
    for (let n = 0; n < 4; n++) seen.push(await api.request('/x', { query: { a: 1 } }));
    const [, ...hits] = seen;
    for (const hit of hits) {
      expect(hit).toMatchObject({
        fromCache: true,
        attempts: 0,
        status: 200,
        headers: { age: expect.stringMatching(/^\d$/), vary: 'accept-language' },
      });
      expect(hit.data).toEqual(seen[0]?.data);
      (hit.data as { list: { deep: number[] }[] }).list[0]?.deep.push(2);
      (hit.headers as Record<string, string>).vary = 'changed';
    }
    expect(await api.get('/x', { a: 1 })).toEqual({ url: '/x?a=1', lang: 'none', list: [{ deep: [1] }] });
    expect(server.seen).toHaveLength(1);
    expect(api.stats().cache?.hits).toBe(4);
  });

  it('is told apart by every argument that can change the answer', async () => {
    const api = open();
    const calls: readonly [string, { query?: Query; headers?: Record<string, string> }][] = [
      ['/x', {}],
      ['/x', { query: { a: 'b' } }],
      ['/x', { query: { a: 'b', c: 'd' } }],
      ['/x', { query: { a: 'b1:c1:d' } }],
      ['/x', { query: { ab: '' } }],
      ['/x', { query: { a: ['b', 'c'] } }],
      ['/x', { query: new URLSearchParams({ a: 'z' }) }],
      ['/x', { headers: { 'accept-language': 'de' } }],
      ['/x', { headers: { 'accept-language': 'fr' } }],
      ['/x?a=x', {}],
    ];
    for (const _ of [1, 2, 3]) {
      for (const [path, options] of calls) {
        const fresh = await api.request(path, { ...options, cache: false });
        expect((await api.request(path, options)).data).toEqual(fresh.data);
      }
    }
  });

  it('is checked as ever: wrong options, a closed object and an ended context are refused', async () => {
    const api = open();
    await warm(api, '/x');
    await warm(api, '/x', { headers: { 'x-a': '1' } });
    for (const options of [
      { timeoutMs: 0 },
      { methd: 'GET' },
      { cache: 'yes' },
      { signal: {} },
      { schema: 1 },
      null,
      [1],
    ])
      expect(await rejection(api.request('/x', options as never))).toBeInstanceOf(ConfigurationError);
    expect(await rejection(api.request('/x', { headers: { 'x-a': 1 } as never }))).toBeInstanceOf(ValidationError);
    expect(await rejection(api.request('/x', { signal: AbortSignal.abort('left') }))).toBe('left');
    const controller = new AbortController();
    const ended = withContext({ signal: controller.signal }, async () => {
      controller.abort('over');
      return api.request('/x');
    });
    expect(await rejection(ended)).toBe('over');
    await api.close();
    expect(await rejection(api.request('/x'))).toBeInstanceOf(ClosedError);
    expect(await rejection(api.get('/x'))).toBeInstanceOf(ClosedError);
  });

  it('works inside a context and with a signal, a time and a schema', async () => {
    const api = open();
    await warm(api, '/x');
    const schema = z.object({ url: z.string().transform((url) => url.length) });
    await withContext({ timeoutMs: 5_000 }, async () => {
      const { signal } = new AbortController();
      const hit = await api.request('/x', { signal, timeoutMs: 1_000, schema });
      expect([hit.data, hit.fromCache]).toEqual([{ url: 2 }, true]);
    });
    expect(server.seen).toHaveLength(1);
  });

  it('is asked anew after a write, after its time, and when the axios instance is in use', async () => {
    const api = open();
    await warm(api, '/x');
    await api.put('/x', {});
    expect((await api.request('/x')).fromCache).toBe(false);
    await warm(api, '/x');
    (await api.client).defaults.headers.common.Authorization = 'Bearer other';
    await api.request('/x', { headers: { authorization: undefined } });
    const { data } = await api.request('/x');
    expect(data).toMatchObject({ url: '/x' });
    expect(server.seen.filter(({ method }) => method === 'GET').length).toBeGreaterThanOrEqual(2);
  });

  it('asks a function for its credential, and passes the layers, each time', async () => {
    let asked = 0;
    let passed = 0;
    const layer: APIMiddleware = (call, next) => {
      passed += 1;
      return next(call);
    };
    const api = open({ use: [layer] });
    const rotating = open({ auth: () => `key${++asked}` });
    for (const _ of [1, 2, 3]) {
      await api.get('/x');
      await rotating.get('/x');
    }
    expect([passed, asked]).toEqual([3, 3]);
    expect(server.seen).toHaveLength(4);
  });

  it('is forgotten before calls take too much memory, and learnt again', async () => {
    const api = open();
    for (let n = 0; n < 4_200; n++) await warm(api, '/x', { headers: { 'x-n': String(n) } });
    expect(server.seen).toHaveLength(1);
    expect((await api.request('/x', { headers: { 'x-n': '0' } })).fromCache).toBe(true);
  });
});
