import { ConnectionError } from '@safla/sdk/core';
import axios, { AxiosError, type AxiosInstance, CanceledError } from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axiosAdapter, type HTTPTransport, undiciTransport } from '../../../src/drivers/http/index.js';
import { json, rejection, serve, type TestServer } from '../../api/support/server.js';

let server: TestServer;
let transport: HTTPTransport;
let client: AxiosInstance;

beforeAll(async () => {
  server = await serve((seen, response) => {
    if (seen.url.startsWith('/status/')) return json(response, { why: 'because' }, {}, Number(seen.url.slice(8)));
    if (seen.url === '/hang') return undefined;
    return json(response, { method: seen.method, url: seen.url, headers: seen.headers, body: seen.body.toString() });
  });
  transport = undiciTransport();
  client = axios.create({ baseURL: `${server.origin}/v1`, adapter: axiosAdapter(transport) });
});

afterAll(async () => {
  await transport.close();
  await server[Symbol.asyncDispose]();
});

describe('axiosAdapter', () => {
  it('sends what plain axios would: base, params, JSON and headers', async () => {
    const { data } = await client.post('/orders', { a: 1 }, { params: { q: 'x y' }, headers: { 'X-A': 'b' } });
    expect(data).toMatchObject({ method: 'POST', url: '/v1/orders?q=x+y', body: '{"a":1}' });
    expect(data.headers).toMatchObject({ 'x-a': 'b', 'content-type': 'application/json' });
  });

  it('lets a form choose its boundary', async () => {
    const form = new FormData();
    form.append('file', new Blob(['content'], { type: 'text/plain' }), 'a.txt');
    const { data } = await client.post('/upload', form);
    expect(data.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(data.body).toContain('filename="a.txt"');
    expect(data.body).toContain('content');
  });

  it('runs interceptors on the way out and back', async () => {
    const own = client.create();
    own.interceptors.request.use((config) => {
      config.headers.set('X-Trace', '1');
      return config;
    });
    own.interceptors.response.use((response) => ({ ...response, data: { wrapped: response.data } }));
    const { data } = await own.get('/x');
    expect(data.wrapped.headers['x-trace']).toBe('1');
  });

  it('rejects a status outside validateStatus with an AxiosError that has the response', async () => {
    const error = (await rejection(client.get(`${server.origin}/status/404`))) as AxiosError;
    expect(error).toBeInstanceOf(AxiosError);
    expect([error.response?.status, error.response?.data, error.code]).toEqual([
      404,
      { why: 'because' },
      'ERR_BAD_REQUEST',
    ]);
    const accepted = await client.get(`${server.origin}/status/404`, { validateStatus: null });
    expect(accepted.status).toBe(404);
  });

  it('keeps the typed error as the cause of a failure', async () => {
    const error = (await rejection(client.get('http://127.0.0.1:1/'))) as AxiosError;
    expect(error).toBeInstanceOf(AxiosError);
    expect(error.cause).toBeInstanceOf(ConnectionError);
  });

  it('honours signal and timeout', async () => {
    const signal = AbortSignal.timeout(20);
    expect(await rejection(client.get(`${server.origin}/hang`, { signal }))).toBeInstanceOf(CanceledError);
    const late = (await rejection(client.get(`${server.origin}/hang`, { timeout: 20 }))) as AxiosError;
    expect((late.cause as Error).message).toContain('20 ms');
  });

  it.each([
    ['arraybuffer', (data: unknown) => Buffer.isBuffer(data)],
    ['text', (data: unknown) => typeof data === 'string'],
    ['blob', (data: unknown) => data instanceof Blob],
    ['stream', (data: unknown) => typeof (data as { pipe?: unknown }).pipe === 'function'],
  ] as const)('gives %s as asked', async (responseType, fits) => {
    const { data } = await client.get('/x', { responseType });
    expect(fits(data)).toBe(true);
    if (responseType === 'stream') for await (const _ of data);
  });

  it('limits the answer to maxContentLength', async () => {
    const error = (await rejection(client.get('/x', { maxContentLength: 5 }))) as AxiosError;
    expect((error.cause as Error).message).toContain('larger than 5 bytes');
  });
});
