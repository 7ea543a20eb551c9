import { APIIntegration, HTTPError } from '@safla/sdk/api';
import { ConfigurationError, ProtocolError, ValidationError, withContext } from '@safla/sdk/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { json, rejection, serve, type TestServer } from './support/server.js';

let server: TestServer;
let api: APIIntegration;

beforeAll(async () => {
  server = await serve((seen, response) => {
    const { pathname } = new URL(seen.url, 'http://x');
    switch (pathname) {
      case '/v1/empty':
        return response.writeHead(204).end();
      case '/v1/text':
        return response.writeHead(200, { 'content-type': 'text/plain; charset=iso-8859-1' }).end(Buffer.from([0xfc]));
      case '/v1/bytes':
        return response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from([1, 2, 255]));
      case '/v1/untyped':
        return response.writeHead(200).end('{"a":1}');
      case '/v1/problem':
        return response.writeHead(200, { 'content-type': 'application/problem+json' }).end('{"title":"x"}');
      case '/v1/broken':
        return response.writeHead(200, { 'content-type': 'application/json' }).end('{"password":"hunter2"');
      case '/v1/charset':
        return response.writeHead(200, { 'content-type': 'text/plain; charset=klingon' }).end('x');
      case '/v1/big':
        return response.writeHead(200, { 'content-type': 'text/plain' }).end('x'.repeat(5_000));
      case '/v1/missing':
        return json(response, { error: 'no such order' }, {}, 404);
      default:
        return json(response, {
          method: seen.method,
          url: seen.url,
          headers: seen.headers,
          body: seen.body.toString(),
        });
    }
  });
  api = new APIIntegration({ baseURL: `${server.origin}/v1/`, auth: 'k3y', headers: { 'x-tenant': 'acme' } });
});

afterAll(async () => {
  await api.close();
  await server[Symbol.asyncDispose]();
});

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}
const echo = async (promise: Promise<unknown>) => (await promise) as Echo;

describe('the seed methods', () => {
  it('give the data of GET, POST, PUT, PATCH and DELETE', async () => {
    expect(await api.get('/orders', { page: 2, tag: ['a', 'b'] })).toMatchObject({
      method: 'GET',
      url: '/v1/orders?page=2&tag=a&tag=b',
    });
    expect(await api.post('/orders', { a: 1 })).toMatchObject({ method: 'POST', body: '{"a":1}' });
    expect(await api.put('orders/1', { a: 2 })).toMatchObject({ method: 'PUT', url: '/v1/orders/1', body: '{"a":2}' });
    expect(await api.patch('/orders/1', [1])).toMatchObject({ method: 'PATCH', body: '[1]' });
    expect(await api.delete('/empty')).toBeUndefined();
    const head = await api.head('/orders', { page: 1 });
    expect([head.status, head.data, head.headers['content-type']]).toEqual([200, undefined, 'application/json']);
  });

  it('send the credential, the fixed headers and a correlation id', async () => {
    const { headers } = await echo(api.get('/orders'));
    expect(headers).toMatchObject({ authorization: 'Bearer k3y', 'x-tenant': 'acme' });
    expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
    const flowing = await withContext({ correlationId: 'job-7' }, () => echo(api.get('/orders')));
    expect(flowing.headers['x-correlation-id']).toBe('job-7');
  });

  it.each([
    ['Жid 1\n', '%d0%96id%201%0a'],
    ['\ud83d\ude00/100%', '%f0%9f%98%80/100%'],
    ['\ud800', '%ef%bf%bd'],
    ['', expect.stringMatching(/^[0-9a-f-]{36}$/)],
  ])('send the correlation id %j in characters a header can hold', async (correlationId, expected) => {
    const { headers } = await withContext({ correlationId }, () => echo(api.get('/orders')));
    expect(headers['x-correlation-id']).toEqual(expected);
  });
});

describe('parameters', () => {
  it.each([
    ['URLSearchParams', new URLSearchParams({ id: '2', z: 'a b' }), '?id=2&z=a+b'],
    ['a Map', new Map([['id', 2]]), '?id=2'],
    ['a Set as value', { id: new Set([1, 2]) }, '?id=1&id=2'],
    ['a Date', { since: new Date(0) }, '?since=1970-01-01T00%3A00%3A00.000Z'],
    ['undefined and null', { a: undefined, b: null, c: 0, d: false, e: '' }, '?c=0&d=false&e='],
    ['reserved characters', { q: 'a&b=c#d' }, '?q=a%26b%3Dc%23d'],
    ['any order of properties', { b: 1, a: 2 }, '?a=2&b=1'],
  ])('%s reach the server', async (_, params, query) => {
    expect((await echo(api.get('/x', params))).url).toBe(`/v1/x${query}`);
  });

  it('are added to those of the endpoint', async () => {
    expect((await echo(api.get('/x?a=1', { b: 2 }))).url).toBe('/v1/x?a=1&b=2');
  });

  it.each([{ a: { b: 1 } }, { a: Number.NaN }, { a: Symbol('s') }, { a: new Date('x') }, { a: () => 1 }])(
    'refuse %o, which has no one form',
    async (params) => {
      const count = server.seen.length;
      expect(await rejection(api.get('/x', params as never))).toBeInstanceOf(ValidationError);
      expect(server.seen.length).toBe(count);
    },
  );
});

describe('answers', () => {
  it('tell status, headers, age and attempts', async () => {
    const response = await api.request('/orders');
    expect(response).toMatchObject({ status: 200, fromCache: false, ageMs: 0, attempts: 1 });
    expect(response.headers['content-type']).toBe('application/json');
  });

  it('are read by their media type', async () => {
    expect(await api.get('/empty')).toBeUndefined();
    expect(await api.get('/text')).toBe('ü');
    expect(await api.get('/bytes')).toEqual(new Uint8Array([1, 2, 255]));
    expect(await api.get('/untyped')).toEqual({ a: 1 });
    expect(await api.get('/problem')).toEqual({ title: 'x' });
  });

  it('that say JSON and are not reject, without their content', async () => {
    const error = (await rejection(api.get('/broken'))) as Error;
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error.message).toContain('not valid JSON');
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain('hunter2');
  });

  it('in an unknown charset or above the size limit reject', async () => {
    expect(await rejection(api.get('/charset'))).toBeInstanceOf(ProtocolError);
    await using small = new APIIntegration({ baseURL: `${server.origin}/v1`, maxResponseBytes: 1_000 });
    expect(((await rejection(small.get('/big'))) as Error).message).toContain('larger than 1000 bytes');
  });

  it('outside of 200-299 reject with HTTPError that has the data', async () => {
    const error = (await rejection(api.get('/missing'))) as HTTPError;
    expect(error).toBeInstanceOf(HTTPError);
    expect([error.status, error.data, error.retryable]).toEqual([404, { error: 'no such order' }, false]);
  });
});

describe('schema', () => {
  const Order = z.object({ method: z.string(), url: z.string().transform((url) => url.length) });

  it('types the data and gives its output', async () => {
    const { data } = await api.request('/orders', { schema: Order });
    const length: number = data.url;
    expect(length).toBe('/v1/orders'.length);
    expect(data).toEqual({ method: 'GET', url: 10 });
  });

  it('rejects what does not match with ValidationError that holds no values', async () => {
    const error = await rejection(api.request('/missing-field', { schema: z.object({ absent: z.string() }) }));
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues[0]?.path).toEqual(['absent']);
    expect((error as Error).message).toContain('answer of GET /missing-field');
  });
});

describe('params', () => {
  it('fill in the names of the path, encoded as by the path template', async () => {
    for (const [id, expected] of [
      ['a/b?c', '/v1/x/a%2Fb%3Fc/y'],
      [7, '/v1/x/7/y'],
    ] as const) {
      const { data } = await api.request('/x/{id}/y', { params: { id } });
      expect((data as { url: string }).url).toBe(expected);
    }
  });

  it.each([
    [{}, "the parameter 'id' must be"],
    [{ id: '..' }, 'change the route'],
    [{ id: '' }, 'change the route'],
    [{ id: 1, page: 2 }, 'there is no {page} in the path; parameters of the query go into `query`'],
    [{ id: {} }, "the parameter 'id' must be"],
  ])('%j are refused', async (params, message) => {
    const error = (await rejection(api.request('/x/{id}', { params: params as Record<string, string> }))) as Error;
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.message).toContain(message);
  });
});

describe('request options', () => {
  it.each([
    [{ parms: { a: 1 } }, "did you mean 'params'"],
    [{ timeout: 5 }, "did you mean 'timeoutMs'"],
    [{ schema: {} }, 'Standard Schema'],
    [{ timeoutMs: -1 }, 'timeoutMs'],
    [{ idempotencyKey: '' }, 'idempotencyKey'],
  ])('%o is refused', async (options, message) => {
    const error = (await rejection(api.request('/x', options as object))) as Error;
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toContain(message);
  });

  it.each(['CONNECT', 'TRACE', 'GET /x HTTP/1.1\r\n', 'G@T'])('method %j is refused', async (method) => {
    expect(await rejection(api.request('/x', { method }))).toBeInstanceOf(ValidationError);
  });

  it.each<Record<string, string>>([
    { 'x-a': '1\r\nx-b: 2' },
    { 'x-a\n': '1' },
    { host: 'evil' },
    { 'content-length': '0' },
  ])('header %o is refused before anything is sent', async (headers) => {
    const count = server.seen.length;
    expect(await rejection(api.request('/x', { headers }))).toBeInstanceOf(ValidationError);
    expect(server.seen.length).toBe(count);
  });

  it('options that are undefined are as if they were not given', async () => {
    const none = { method: undefined, query: undefined, body: undefined, headers: undefined, cache: undefined };
    const { data } = await api.request('/orders', none as object);
    expect(data).toMatchObject({ method: 'GET', url: '/v1/orders', body: '' });
  });

  it('headers of one request go over those of the API', async () => {
    const { data } = await api.request('/x', { headers: { 'X-Tenant': 'other', accept: 'text/csv' } });
    expect((data as Echo).headers).toMatchObject({ 'x-tenant': 'other', accept: 'text/csv' });
  });
});
