import type { ServerResponse } from 'node:http';
import { APIIntegration, type APIIntegrationOptions, HTTPError } from '@safla/sdk/api';
import { CircuitOpenError, ConnectionError, RateLimitError, TimeoutError } from '@safla/sdk/core';
import { policy } from '@safla/sdk/resilience';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { json, rejection, type Seen, serve, type TestServer } from './support/server.js';

let server: TestServer;
let answer: (seen: Seen, response: ServerResponse, count: number) => unknown;
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

const quick = { retry: { baseDelayMs: 1 } };
function open(options: Partial<APIIntegrationOptions> = {}): APIIntegration {
  const api = new APIIntegration({ baseURL: server.origin, policy: quick, ...options });
  opened.push(api);
  return api;
}
const failTwice = (status: number, headers: Record<string, string> = {}) => {
  answer = (_, response, n) => json(response, { n }, headers, n < 3 ? status : 200);
};

describe('retries', () => {
  it.each([408, 429, 500, 502, 503, 504])('a GET answered %d is repeated', async (status) => {
    failTwice(status);
    expect(await open().request('/x')).toMatchObject({ data: { n: 3 }, attempts: 3 });
  });

  it.each([400, 401, 403, 404, 409, 422, 501])('a GET answered %d is not', async (status) => {
    failTwice(status);
    expect(await rejection(open().get('/x'))).toMatchObject({ status });
    expect(server.seen).toHaveLength(1);
  });

  it.each(['HEAD', 'PUT', 'DELETE', 'OPTIONS'])('%s is repeated', async (method) => {
    failTwice(503);
    expect((await open().request('/x', { method })).attempts).toBe(3);
  });

  it.each(['POST', 'PATCH'])('%s is never repeated without a key', async (method) => {
    failTwice(503);
    expect(await rejection(open().request('/x', { method, body: {} }))).toBeInstanceOf(HTTPError);
    expect(server.seen).toHaveLength(1);
  });

  it('POST is not repeated after its connection broke: it may have been done', async () => {
    answer = (_, response) => response.destroy();
    expect(await rejection(open().post('/x', {}))).toBeInstanceOf(ConnectionError);
    expect(server.seen).toHaveLength(1);
  });

  it('POST with an idempotency key is repeated with the same key', async () => {
    failTwice(503);
    const { attempts } = await open().request('/x', { method: 'POST', body: { a: 1 }, idempotencyKey: 'k-1' });
    expect(attempts).toBe(3);
    expect(server.seen.map((seen) => [seen.headers['idempotency-key'], seen.body.toString()])).toEqual(
      Array(3).fill(['k-1', '{"a":1}']),
    );
  });

  it('a stream is never repeated: it is gone', async () => {
    failTwice(503);
    const body = new Blob(['x']).stream();
    expect(await rejection(open().request('/x', { method: 'PUT', body }))).toMatchObject({ status: 503 });
    expect(server.seen).toHaveLength(1);
  });

  it('a form is sent whole each time', async () => {
    failTwice(503);
    const form = new FormData();
    form.append('file', new Blob(['content']), 'a.txt');
    await open().request('/x', { method: 'PUT', body: form });
    expect(server.seen).toHaveLength(3);
    for (const { body } of server.seen) expect(body.toString()).toContain('content');
  });

  it('wait for what Retry-After asks, in seconds and as a date', async () => {
    answer = (_, response, n) => {
      const date = new Date(Date.now() + 2_000).toUTCString();
      return json(response, {}, { 'retry-after': n === 1 ? '1' : date }, n < 3 ? 503 : 200);
    };
    const startedAt = performance.now();
    await open().get('/x');
    expect(performance.now() - startedAt).toBeGreaterThan(1_950);
  });

  it('give up at once when Retry-After asks for more than the cap', async () => {
    answer = (_, response) => json(response, {}, { 'retry-after': '3600' }, 429);
    const error = (await rejection(open().get('/x'))) as HTTPError;
    expect([error.status, error.retryAfterMs]).toEqual([429, 3_600_000]);
    expect(server.seen).toHaveLength(1);
  });

  it('carry one correlation id', async () => {
    failTwice(500);
    await open().get('/x');
    expect(new Set(server.seen.map((seen) => seen.headers['x-correlation-id'])).size).toBe(1);
  });
});

describe('circuit breaker', () => {
  it('opens after failures, refuses without sending, and shows in health', async () => {
    answer = (_, response) => json(response, {}, {}, 500);
    const api = open({ policy: { retry: false, breaker: { minimumCalls: 4, openMs: 60_000 } } });
    for (let i = 0; i < 4; i++) expect(await rejection(api.get('/x'))).toBeInstanceOf(HTTPError);
    expect(await rejection(api.get('/x'))).toBeInstanceOf(CircuitOpenError);
    expect(server.seen).toHaveLength(4);
    expect(api.stats().policy.circuits).toEqual({ [server.origin]: 'open' });
    expect(await api.health()).toMatchObject({ status: 'fail', details: { circuit: 'open', lastStatus: 500 } });
  });

  it('is not opened by answers that say the caller is wrong', async () => {
    answer = (_, response) => json(response, {}, {}, 404);
    const api = open({ policy: { breaker: { minimumCalls: 2 } } });
    for (let i = 0; i < 6; i++) await rejection(api.get('/x'));
    expect(server.seen).toHaveLength(6);
  });

  it('is shared by those who share the policy', async () => {
    answer = (_, response) => json(response, {}, {}, 500);
    const shared = policy({ retry: false, breaker: { minimumCalls: 2, openMs: 60_000 } });
    const [a, b] = [open({ policy: shared }), open({ policy: shared })];
    await rejection(a.get('/x'));
    await rejection(a.get('/x'));
    expect(await rejection(b.get('/x'))).toBeInstanceOf(CircuitOpenError);
  });
});

describe('rate limit', () => {
  const limited = (limit: number) => open({ policy: { ...quick, limiter: { limit, intervalMs: 3_600_000 } } });

  it('refuses with the time to wait, instead of waiting for an hour', async () => {
    answer = (_, response) => json(response, {});
    const api = new APIIntegration(server.origin, 'key', 2);
    opened.push(api);
    await api.get('/a');
    await api.get('/b');
    const error = (await rejection(api.get('/c'))) as RateLimitError;
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.retryAfterMs).toBeGreaterThan(1_000_000);
    expect(server.seen).toHaveLength(2);
  });

  it('counts every attempt, not every call', async () => {
    failTwice(503);
    const api = limited(10);
    await api.get('/x');
    expect(api.stats().policy.limiter?.granted).toBe(3);
  });

  it('lets a waiting call be aborted at once', async () => {
    answer = (_, response) => json(response, {});
    const api = open({ policy: { limiter: { limit: 1, intervalMs: 20_000 } } });
    await api.get('/x');
    const controller = new AbortController();
    const waiting = rejection(api.request('/y', { signal: controller.signal }));
    await expect.poll(() => api.stats().policy.limiter?.waiting).toBe(1);
    controller.abort('never mind');
    expect(await waiting).toBe('never mind');
    expect(api.stats().policy.limiter?.waiting).toBe(0);
    expect(server.seen).toHaveLength(1);
  });

  it('is passed by probes', async () => {
    answer = (_, response) => json(response, {});
    const api = limited(1);
    await api.get('/x');
    expect(await api.authenticate()).toEqual({ success: true });
    expect(api.stats().policy.limiter?.granted).toBe(1);
  });
});

describe('time', () => {
  it('of a whole call ends a server that never answers', async () => {
    answer = () => undefined;
    const error = (await rejection(open().request('/x?key=hunter2', { timeoutMs: 60 }))) as TimeoutError;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.timeoutMs).toBe(60);
    expect(error.message).not.toContain('hunter2');
  });

  it('of an attempt ends the attempt, and the next may succeed', async () => {
    answer = (_, response, n) => (n === 1 ? undefined : json(response, { n }));
    const api = open({ policy: { ...quick, attemptTimeoutMs: 500 } });
    expect(await api.request('/x')).toMatchObject({ data: { n: 2 }, attempts: 2 });
  });

  it('also covers a body that never ends', async () => {
    answer = (_, response) => response.writeHead(200).write('x');
    expect(await rejection(open().request('/x', { timeoutMs: 60 }))).toBeInstanceOf(TimeoutError);
  });
});
