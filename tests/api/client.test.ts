import { APIIntegration, type HTTPTransport } from '@safla/sdk/api';
import {
  ClosedError,
  ConfigurationError,
  ConnectionError,
  ProtocolError,
  SaflaError,
  TimeoutError,
} from '@safla/sdk/core';
import axios, { type AxiosAdapter } from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, rejection, serve, type TestServer } from './support/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await serve((seen, response) => {
    if (seen.url === '/hang') return undefined;
    if (seen.url === '/big') return response.end('x'.repeat(20_000));
    if (seen.url === '/cut') {
      response.writeHead(200, { 'content-length': 1_000 }).write('half');
      return setTimeout(() => response.destroy(), 10);
    }
    if (seen.url === '/garbled') return response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip at all');
    if (seen.url === '/moved') return response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    const status = seen.headers['x-fresh'] === 'yes' || seen.url !== '/login' ? 200 : 401;
    return json(response, { method: seen.method, headers: seen.headers, body: seen.body.toString() }, {}, status);
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const open = (options: object) => new APIIntegration({ baseURL: server.origin, policy: { retry: false }, ...options });

describe('a ready axios instance', () => {
  it('takes an answer that was cut off for ConnectionError, not for an answer', async () => {
    await using api = open({ client: axios.create(), policy: { retry: false } });
    expect(await rejection(api.get('/cut'))).toBeInstanceOf(ConnectionError);
  });

  it('is used with its interceptors and adapter, and left open', async () => {
    let adapted = 0;
    const http = axios.getAdapter('http');
    const adapter: AxiosAdapter = (config) => {
      adapted += 1;
      return http(config);
    };
    const client = axios.create({ adapter, headers: { 'X-Tenant': 'acme' } });
    client.interceptors.request.use((config) => {
      config.headers.set('X-Trace', 't1');
      return config;
    });
    const api = open({ client, auth: 'k3y' });
    expect(await api.client).toBe(client);
    const data = (await api.post('/x', { a: 1 })) as { headers: object; body: string };
    expect(data.headers).toMatchObject({ 'x-tenant': 'acme', 'x-trace': 't1', authorization: 'Bearer k3y' });
    expect(data.body).toBe('{"a":1}');
    expect(adapted).toBe(1);
    await api.close();
    expect((await client.get(server.origin)).status).toBe(200);
  });

  it('sees failures in its interceptors as axios tells them, and may repair them', async () => {
    const client = axios.create();
    client.interceptors.response.use(undefined, async (error) => {
      if (error.response?.status !== 401) throw error;
      return client.request({ ...error.config, headers: { ...error.config.headers, 'x-fresh': 'yes' } });
    });
    await using api = open({ client });
    expect((await api.request('/login')).status).toBe(200);
  });

  it('keeps its transforms out of the way', async () => {
    const client = axios.create({ transformRequest: () => 'spoiled', transformResponse: () => 'spoiled' });
    await using api = open({ client });
    expect(await api.post('/x', { a: 1 })).toMatchObject({ body: '{"a":1}' });
  });

  it('follows no redirect and has a size limit', async () => {
    await using api = open({ client: axios.create(), maxResponseBytes: 10_000 });
    expect(await rejection(api.get('/moved'))).toMatchObject({ status: 302 });
    expect(((await rejection(api.get('/big'))) as Error).message).toContain('larger than 10000 bytes');
  });

  it('rejects with typed errors, never with those of axios', async () => {
    const slow = open({ client: axios.create({ timeout: 30 }) });
    expect(await rejection(slow.get('/hang'))).toBeInstanceOf(TimeoutError);
    const unreachable = new APIIntegration({
      baseURL: 'http://127.0.0.1:1',
      client: axios.create(),
      policy: { retry: false },
    });
    expect(await rejection(unreachable.get('/x'))).toBeInstanceOf(ConnectionError);
    const garbled = await rejection(open({ client: axios.create() }).get('/garbled'));
    expect(garbled).toBeInstanceOf(ProtocolError);
    const cancelling = axios.create();
    cancelling.interceptors.request.use(() => {
      throw new axios.CanceledError('no');
    });
    expect(await rejection(open({ client: cancelling }).get('/x'))).toBeInstanceOf(ClosedError);
    const unwrapping = axios.create();
    unwrapping.interceptors.response.use((response) => response.data);
    expect(await rejection(open({ client: unwrapping }).get('/x'))).toBeInstanceOf(ConfigurationError);
    const own = new Error('from an interceptor');
    const throwing = axios.create();
    throwing.interceptors.request.use(() => {
      throw own;
    });
    expect(await rejection(open({ client: throwing }).get('/x'))).toBe(own);
  });

  it('is aborted by the signal', async () => {
    const controller = new AbortController();
    await using api = open({ client: axios.create() });
    const pending = rejection(api.request('/hang', { signal: controller.signal }));
    const count = server.seen.length;
    await expect.poll(() => server.seen.length).toBeGreaterThanOrEqual(count);
    controller.abort('stop');
    expect(await pending).toBe('stop');
  });

  it('may answer with what axios would have made of the bytes', async () => {
    const adapter: AxiosAdapter = async (config) => ({
      data: { mocked: true },
      status: 200,
      statusText: '',
      headers: { 'content-type': 'application/json' },
      config,
    });
    await using api = open({ client: axios.create({ adapter }) });
    expect(await api.get('/x')).toEqual({ mocked: true });
  });

  it('is not cached over where it authenticates in a way the cache cannot see', async () => {
    const client = axios.create({ auth: { username: 'alice', password: 'pw' } });
    await using api = open({ client, cache: { heuristicMs: 60_000 } });
    await api.get('/x');
    client.defaults.auth = { username: 'bob', password: 'pw' };
    const { fromCache, data } = await api.request('/x');
    expect(fromCache).toBe(false);
    expect(data).toMatchObject({ headers: { authorization: `Basic ${btoa('bob:pw')}` } });
  });
});

describe('a transport of the host', () => {
  it('moves the bytes and is left open', async () => {
    let closed = false;
    const asked: string[] = [];
    const transport: HTTPTransport = {
      async send({ method, url, headers }) {
        asked.push(`${method} ${url} ${headers?.authorization}`);
        const body = (async function* () {
          yield Buffer.from('{"recorded":');
          yield Buffer.from('true}');
        })();
        return { status: 200, headers: { 'content-type': 'application/json' }, body };
      },
      async close() {
        closed = true;
      },
    };
    const api = new APIIntegration({ baseURL: 'https://api.example.com/v1', auth: 'k', transport });
    expect(await api.get('/x', { a: 1 })).toEqual({ recorded: true });
    expect(asked).toEqual(['GET https://api.example.com/v1/x?a=1 Bearer k']);
    await api.close();
    expect(closed).toBe(false);
  });

  it('that fails in its own way rejects with its own error', async () => {
    const failure = new Error('no such recording');
    const transport: HTTPTransport = { send: () => Promise.reject(failure), close: async () => undefined };
    await using api = open({ transport });
    const error = await rejection(api.get('/x'));
    expect(error).toBe(failure);
    expect(SaflaError.is(error)).toBe(false);
  });
});
