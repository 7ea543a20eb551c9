import { APIIntegration, type APIIntegrationOptions, type RequestOptions } from '@safla/sdk/api';
import { CircuitOpenError, ConfigurationError, ConnectionError, TimeoutError } from '@safla/sdk/core';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, rejection, type Seen, serve, type TestServer } from './support/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await serve((seen, response) => {
    if (seen.url.startsWith('/hang')) return undefined;
    if (seen.url === '/moved') return response.writeHead(302, { location: '/there?x=1' }).end('moved');
    if (seen.url === '/cut')
      return response.writeHead(200, { 'content-length': '100' }).write('x', () => response.destroy());
    const status = Number(seen.url.match(/^\/status\/(\d+)/)?.[1] ?? 200);
    const headers = { 'set-cookie': ['a=1', 'b=2'] as unknown as string, 'x-twice': ['1', '2'] as unknown as string };
    return json(response, { method: seen.method, url: seen.url }, headers, status);
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const open = (options: Partial<APIIntegrationOptions> = {}) =>
  new APIIntegration({ baseURL: server.origin, auth: 'k3y', policy: { retry: false }, ...options });

/** A request as it stood on the wire, but for what differs from one to the next. */
function shown({ method, url, headers, body }: Seen | undefined = {} as Seen) {
  const { 'x-correlation-id': id, ...rest } = headers;
  expect(id).toBeTruthy();
  return { method, url, headers: rest, body: body.toString() };
}

describe('a request through the axios instance and one past it', () => {
  const requests: [string, string, RequestOptions][] = [
    ['GET', '/x', { query: { q: 'a b', tags: ['1', '2'] } }],
    ['POST with JSON', '/x', { method: 'POST', body: { a: [1, null] }, idempotencyKey: 'k1' }],
    ['POST with a text', '/x', { method: 'POST', body: 'text' }],
    ['POST with bytes', '/x', { method: 'POST', body: Buffer.from('bytes') }],
    ['POST without a body', '/x', { method: 'POST' }],
    ['DELETE with a body', '/x', { method: 'DELETE', body: { a: 1 } }],
    ['headers of its own', '/x', { headers: { accept: 'text/csv', 'X-A': 'b' } }],
    ['a redirect', '/moved', {}],
  ];

  it.each(requests)('are the same on the wire and in the answer: %s', async (_, path, options) => {
    await using direct = open();
    await using through = open();
    await through.client;
    const [own] = [await direct.request(path, options), server.seen.length];
    const ownSeen = shown(server.seen.at(-1));
    const other = await through.request(path, options);
    expect(shown(server.seen.at(-1))).toEqual(ownSeen);
    const { date: _a, ...headers } = own.headers;
    const { date: _b, ...otherHeaders } = other.headers;
    expect({ ...other, headers: otherHeaders }).toEqual({ ...own, headers });
  });

  it.each(['/status/404', '/status/503', '/cut', '/hang'])('fail alike: %s', async (path) => {
    await using direct = open();
    await using through = open();
    await through.client;
    const [own, other] = await Promise.all(
      [direct, through].map((api) => rejection(api.request(path, { timeoutMs: 300 }))),
    );
    expect(Object.keys(other as object)).toEqual(Object.keys(own as object));
    expect([(other as Error).name, (other as Error).message]).toEqual([(own as Error).name, (own as Error).message]);
  });

  it('interceptors that are added after the first request run for the next', async () => {
    await using api = open();
    await api.get('/x');
    const client = await api.client;
    client.interceptors.request.use((config) => {
      config.headers.set('x-added', 'yes');
      return config;
    });
    await api.get('/x');
    expect(server.seen.at(-1)?.headers['x-added']).toBe('yes');
    client.defaults.headers.common['x-default'] = 'set later';
    await api.get('/x');
    expect(server.seen.at(-1)?.headers['x-default']).toBe('set later');
  });
});

describe.each(['undici', 'http'] as const)('the transport %s', (transport) => {
  it('keeps connections open', async () => {
    await using api = open({ transport });
    const before = server.connections();
    for (let i = 0; i < 10; i++) await api.get('/x');
    expect(server.connections() - before).toBeLessThanOrEqual(2);
  });

  it('gives the same answers and errors', async () => {
    await using api = open({ transport });
    const { headers, data } = await api.request('/x');
    expect([headers['set-cookie'], headers['x-twice'], data]).toEqual([
      'a=1\nb=2',
      '1, 2',
      { method: 'GET', url: '/x' },
    ]);
    expect((await api.request('/moved')).data).toEqual({ method: 'GET', url: '/there?x=1' });
    expect(await rejection(api.get('/status/404'))).toMatchObject({ status: 404, data: { url: '/status/404' } });
    expect(await rejection(api.get('/cut'))).toBeInstanceOf(ConnectionError);
    expect(await rejection(api.request('/hang', { timeoutMs: 50 }))).toBeInstanceOf(TimeoutError);
  });

  it('closes what it opened', async () => {
    const api = open({ transport });
    await Promise.all([1, 2, 3].map((n) => api.get(`/${n}`)));
    await api.close();
    await expect.poll(() => server.open()).toBe(0);
  });
});

describe('what is chosen', () => {
  it.each([['https'], [{ send: () => undefined }], [42]])('has to be a transport: %o is refused', (transport) => {
    expect(() => open({ transport: transport as 'http' })).toThrow(ConfigurationError);
  });

  it('a ready client is not given a transport as well', () => {
    expect(() => open({ client: axios.create(), transport: 'http' })).toThrow(/transport has no effect/);
  });
});

describe('an origin', () => {
  it('that fails does not close the circuit of another', async () => {
    await using other = await serve((_, response) => json(response, {}));
    await using api = open({
      security: { allow: [other.origin] },
      policy: { retry: false, breaker: { minimumCalls: 2 } },
    });
    for (let i = 0; i < 3; i++) await rejection(api.get('/status/503'));
    expect(await rejection(api.get('/x'))).toBeInstanceOf(CircuitOpenError);
    expect((await api.request(`${other.origin}/x`)).status).toBe(200);
  });
});

describe('10,000 calls', () => {
  it('that are aborted together all settle with the reason, and nothing is left running', async () => {
    await using api = open({ policy: { retry: false, timeoutMs: false, attemptTimeoutMs: false } });
    const controller = new AbortController();
    const { signal } = controller;
    const reasons = Array.from({ length: 10_000 }, (_, index) =>
      api.request(`/hang?${index}`, { signal }).catch((reason: unknown) => reason),
    );
    await expect.poll(() => api.stats().policy.running).toBe(10_000);
    controller.abort('all of you');
    expect(new Set(await Promise.all(reasons))).toEqual(new Set(['all of you']));
    await expect.poll(() => api.stats().policy.running).toBe(0);
    // Those that stood in line for a connection are not sent later.
    await api.get('/x');
    expect(server.seen.filter(({ url }) => url.startsWith('/hang?')).length).toBeLessThanOrEqual(128);
  });
});
