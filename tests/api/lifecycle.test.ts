import { spawn } from 'node:child_process';
import { APIIntegration, type APIMiddleware, HTTPError } from '@safla/sdk/api';
import { ClosedError, ConnectionError, healthReport } from '@safla/sdk/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { json, rejection, serve, type TestServer, until } from './support/server.js';

let server: TestServer;
let status: number;

beforeEach(async () => {
  status = 200;
  server = await serve((seen, response) => {
    if (seen.url === '/hang') return undefined;
    if (seen.url === '/soon') return setTimeout(() => json(response, { ok: true }), 100);
    return json(response, { url: seen.url, headers: seen.headers }, {}, status);
  });
});

afterEach(() => server[Symbol.asyncDispose]());

describe('authenticate', () => {
  it('asks the base, or authPath, with the credential, past the cache', async () => {
    const api = new APIIntegration(`${server.origin}/v1`, 'k3y');
    expect(await api.authenticate()).toEqual({ success: true });
    expect(await api.authenticate()).toEqual({ success: true });
    await using other = new APIIntegration({ baseURL: `${server.origin}/v1`, authPath: '/me' });
    await other.authenticate();
    expect(server.seen.map((seen) => [seen.url, seen.headers.authorization])).toEqual([
      ['/v1', 'Bearer k3y'],
      ['/v1', 'Bearer k3y'],
      ['/v1/me', undefined],
    ]);
    await api.close();
  });

  it.each([401, 403])('is false for %d', async (answered) => {
    status = answered;
    await using api = new APIIntegration(server.origin, 'k3y');
    expect(await api.authenticate()).toEqual({ success: false });
  });

  it('rejects when the server tells nothing about the credential', async () => {
    status = 500;
    await using api = new APIIntegration(server.origin, 'k3y');
    expect(await rejection(api.authenticate())).toBeInstanceOf(HTTPError);
    expect(server.seen).toHaveLength(1);
    await using nobody = new APIIntegration('http://127.0.0.1:1', 'k3y');
    expect(await rejection(nobody.authenticate())).toBeInstanceOf(ConnectionError);
  });
});

describe('health', () => {
  it('is told from the requests that were made', async () => {
    await using api = new APIIntegration({ baseURL: server.origin, policy: { retry: false }, name: 'shop' });
    expect(await api.health()).toEqual({ status: 'pass', details: { circuit: 'closed' } });
    await api.get('/x');
    expect(await api.health()).toMatchObject({ status: 'pass', details: { lastStatus: 200 } });
    status = 503;
    await rejection(api.get('/x'));
    expect(await api.health()).toMatchObject({ status: 'warn', output: 'the last answer was 503' });
    expect(server.seen).toHaveLength(2);
    expect(await healthReport([api])).toMatchObject({ status: 'warn', checks: { shop: [{ status: 'warn' }] } });
  });

  it('asks healthPath when there is one, and never rejects', async () => {
    await using api = new APIIntegration({ baseURL: server.origin, healthPath: '/up' });
    const health = await api.health();
    expect(health.status).toBe('pass');
    expect(health.latencyMs).toBeGreaterThan(0);
    status = 500;
    expect(await api.health()).toMatchObject({ status: 'fail', output: 'answered 500' });
    await using hanging = new APIIntegration({ baseURL: server.origin, healthPath: '/hang' });
    expect(await hanging.health({ timeoutMs: 30 })).toMatchObject({ status: 'fail' });
    await using absent = new APIIntegration({ baseURL: 'http://127.0.0.1:1', healthPath: '/up' });
    expect(await absent.health()).toMatchObject({ status: 'fail' });
    expect(await absent.health({ signal: AbortSignal.abort() })).toMatchObject({ status: 'fail' });
  });
});

describe('probes', () => {
  afterEach(() => vi.useRealTimers());

  it('keep their limit when `timeoutMs` is undefined', async () => {
    vi.useFakeTimers();
    const transport = { send: () => new Promise<never>(() => undefined), close: async () => undefined };
    await using api = new APIIntegration({ baseURL: server.origin, transport, healthPath: '/up' });
    const none = { timeoutMs: undefined } as object;
    const answers = Promise.all([api.health(none), rejection(api.authenticate(none))]);
    await vi.advanceTimersByTimeAsync(30_000);
    vi.useRealTimers();
    expect(await answers).toMatchObject([
      { status: 'fail', output: 'GET /up did not finish within 5000 ms' },
      { code: 'TIMEOUT', timeoutMs: 30_000 },
    ]);
  });
});

describe('close', () => {
  it('lets running requests finish, refuses new ones, and is idempotent', async () => {
    const api = new APIIntegration({ baseURL: server.origin });
    const running = api.get('/soon');
    await until(() => server.seen.length === 1);
    const closing = api.close();
    expect(await rejection(api.get('/x'))).toBeInstanceOf(ClosedError);
    expect(await running).toEqual({ ok: true });
    await closing;
    await api.close();
    expect(await rejection(api.authenticate())).toBeInstanceOf(ClosedError);
    expect(await api.health()).toEqual({ status: 'fail', output: 'closed' });
  });

  it('cancels what still runs at the deadline', async () => {
    const api = new APIIntegration({ baseURL: server.origin });
    const running = rejection(api.get('/hang'));
    await until(() => server.seen.length === 1);
    await api.close({ timeoutMs: 1_000 });
    expect(await running).toBeInstanceOf(ClosedError);
  });

  it('works before anything was opened, and by await using', async () => {
    await new APIIntegration({ baseURL: server.origin }).close();
    let kept: APIIntegration;
    {
      await using api = new APIIntegration({ baseURL: server.origin });
      kept = api;
      await api.get('/x');
    }
    expect(await rejection(kept.get('/x'))).toBeInstanceOf(ClosedError);
  });

  it('is not needed for the process to end', async () => {
    const program = `
      import { APIIntegration } from '@safla/sdk/api';
      const api = new APIIntegration(${JSON.stringify(server.origin)}, 'key');
      await api.get('/x');
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: 'inherit',
    });
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  }, 20_000);
});

describe('use', () => {
  it('layers see and change the call and the answer, the first outermost, probes included', async () => {
    const order: string[] = [];
    const layer =
      (name: string): APIMiddleware =>
      async (call, next) => {
        order.push(`${name} ${call.method} ${call.path}`);
        const response = await next({ ...call, headers: { ...call.headers, [`x-${name}`]: '1' } });
        order.push(`${name} ${response.status}`);
        return { ...response, headers: { ...response.headers, [`x-${name}`]: 'seen' } };
      };
    await using api = new APIIntegration({ baseURL: server.origin, use: [layer('outer'), layer('inner')] });
    const { data, headers } = await api.request('/x');
    expect(data).toMatchObject({ headers: { 'x-outer': '1', 'x-inner': '1' } });
    expect(headers).toMatchObject({ 'x-outer': 'seen', 'x-inner': 'seen' });
    expect(order).toEqual(['outer GET /x', 'inner GET /x', 'inner 200', 'outer 200']);
    await api.authenticate();
    expect(server.seen.at(-1)?.headers).toMatchObject({ 'x-outer': '1' });
  });

  it('a layer can answer by itself, and cannot lead a request out of the base', async () => {
    await using api = new APIIntegration({
      baseURL: server.origin,
      use: [
        async (call, next) =>
          call.path === '/canned'
            ? { data: 'canned', status: 200, headers: {}, fromCache: false, ageMs: 0, attempts: 0 }
            : next({ ...call, path: '//evil.example/x' }),
      ],
    });
    expect(await api.get('/canned')).toBe('canned');
    expect(await rejection(api.get('/x'))).toMatchObject({ code: 'VALIDATION' });
    expect(server.seen).toHaveLength(0);
  });
});
