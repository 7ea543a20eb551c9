import { getEventListeners } from 'node:events';
import { APIIntegration, type APIIntegrationOptions, type RequestOptions } from '@safla/sdk/api';
import { withContext } from '@safla/sdk/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { json, rejection, serve, type TestServer, until } from './support/server.js';

let server: TestServer;
let api: APIIntegration;
let dropped: number;

beforeEach(async () => {
  dropped = 0;
  server = await serve((seen, response) => {
    response.on('close', () => {
      if (!response.writableEnded) dropped += 1;
    });
    if (seen.url.startsWith('/hang')) return undefined;
    if (seen.url.startsWith('/slow')) return response.writeHead(200).write('begun');
    return json(response, { ok: true }, {}, seen.url.startsWith('/bad') ? 404 : 200);
  });
  api = new APIIntegration({ baseURL: server.origin, policy: { retry: { baseDelayMs: 1 } }, cache: true });
});

afterEach(async () => {
  await api.close();
  await server[Symbol.asyncDispose]();
});

describe('an abort', () => {
  it.each(['/hang', '/slow'])('of %s reaches the wire and rejects with the reason of the caller', async (endpoint) => {
    const controller = new AbortController();
    const reason = new Error('the user left');
    const pending = rejection(api.request(endpoint, { signal: controller.signal }));
    await until(() => server.seen.length === 1);
    const abortedAt = performance.now();
    controller.abort(reason);
    expect(await pending).toBe(reason);
    // 50 ms on an idle machine.
    expect(performance.now() - abortedAt).toBeLessThan(500);
    await until(() => dropped === 1);
  });

  it('of the surrounding context cancels the request under it', async () => {
    const controller = new AbortController();
    const pending = rejection(withContext({ signal: controller.signal }, () => api.post('/hang', {})));
    await until(() => server.seen.length === 1);
    controller.abort('stop');
    expect(await pending).toBe('stop');
    await until(() => dropped === 1);
  });

  it('before the call sends nothing', async () => {
    expect(await rejection(api.request('/x', { signal: AbortSignal.abort('too late') }))).toBe('too late');
    expect(server.connections()).toBe(0);
  });

  it('while the credential is being fetched ends it when nobody waits any more', async () => {
    const ended: unknown[] = [];
    const auth = ({ signal }: { signal?: AbortSignal }): Promise<string> =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          ended.push(signal.reason);
          reject(signal.reason);
        });
      });
    await using guarded = new APIIntegration({ baseURL: server.origin, auth });
    const controller = new AbortController();
    const pending = rejection(guarded.request('/x', { signal: controller.signal }));
    setImmediate(() => controller.abort('gone'));
    expect(await pending).toBe('gone');
    await until(() => ended.length === 1);
    expect(server.seen).toHaveLength(0);
  });

  it('is not retried', async () => {
    const controller = new AbortController();
    const pending = rejection(api.request('/hang', { signal: controller.signal }));
    await until(() => server.seen.length === 1);
    controller.abort('stop');
    await pending;
    expect(api.stats().policy.attempts).toBe(1);
  });
});

describe('the time of a call', () => {
  const never = () => new Promise<never>(() => undefined);
  const hangingSchema = { '~standard': { version: 1, vendor: 'test', validate: never } } as const;

  it.each<[string, Partial<APIIntegrationOptions>, RequestOptions]>([
    ['a server that does not answer', {}, {}],
    ['a credential that does not come', { auth: never }, {}],
    ['a layer that does not go on', { use: [never] }, {}],
    ['a schema that does not answer', {}, { schema: hangingSchema }],
  ])('is by default that of the policy, and covers %s', async (_, options, request) => {
    await using bounded = new APIIntegration({ baseURL: server.origin, policy: { timeoutMs: 300 }, ...options });
    const endpoint = request.schema ? '/x?token=hunter2' : '/hang?token=hunter2';
    expect(await rejection(bounded.request(endpoint, request))).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/^GET \/(?:hang|x) did not finish within 300 ms$/),
    });
  });

  it('is that of the call when it gives one', async () => {
    await using patient = new APIIntegration({ baseURL: server.origin, auth: never, policy: { timeoutMs: false } });
    expect(await rejection(patient.request('/x', { timeoutMs: 30 }))).toMatchObject({ timeoutMs: 30 });
  });

  it('ends a schema that does not answer with the reason of the caller', async () => {
    const controller = new AbortController();
    const pending = rejection(api.request('/x', { schema: hangingSchema, signal: controller.signal }));
    await until(() => server.seen.length === 1);
    controller.abort('gone');
    expect(await pending).toBe('gone');
  });

  it('of one attempt names the request, without its query', async () => {
    await using hasty = new APIIntegration({ baseURL: server.origin, policy: { attemptTimeoutMs: 30, retry: false } });
    const error = (await rejection(hasty.request('/hang?token=hunter2'))) as Error;
    expect(error.message).toBe(`attempt 1 of GET ${server.origin}/hang did not finish within 30 ms`);
  });
});

describe('a long-lived signal', () => {
  it('has no listener left after answers, failures, hits, shared requests and refusals', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 5; i++) {
      await Promise.all([
        api.request('/x', { signal }),
        api.request('/x', { signal }),
        api.request('/y', { signal, method: 'POST', body: {} }),
        rejection(api.request('/bad', { signal })),
        rejection(api.request('//evil', { signal })),
        rejection(api.request('/hang', { signal, timeoutMs: 20 })),
      ]);
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
