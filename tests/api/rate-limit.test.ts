import { APIIntegration, type APIIntegrationOptions } from '@safla/sdk/api';
import { type QueueFullError, RateLimitError } from '@safla/sdk/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Handler, json, rejection, serve, type TestServer, until } from './support/server.js';

let server: TestServer;
let answer: Handler;
let opened: APIIntegration[];

beforeEach(async () => {
  opened = [];
  server = await serve((...request) => answer(...request));
});

afterEach(async () => {
  await Promise.all(opened.map((api) => api.close({ timeoutMs: 0 })));
  await server[Symbol.asyncDispose]();
});

const open = (options: Partial<APIIntegrationOptions> = {}): APIIntegration => {
  const api = new APIIntegration({ baseURL: server.origin, policy: { retry: false }, ...options });
  opened.push(api);
  return api;
};

/** A server that refuses what exceeds `limit` in each window, and tells what is left as given. */
function limiting(limit: number, windowMs: number, tell: (left: number, resetMs: number) => Record<string, string>) {
  let window = 0;
  let used = 0;
  const counts = { answered: 0, refused: 0 };
  answer = (_, response) => {
    const now = Date.now();
    const current = Math.floor(now / windowMs);
    if (current !== window) [window, used] = [current, 0];
    used += 1;
    const headers = tell(Math.max(0, limit - used), (current + 1) * windowMs - now);
    if (used > limit) counts.refused += 1;
    else counts.answered += 1;
    json(response, {}, headers, used > limit ? 429 : 200);
  };
  return counts;
}

const asDraft11 = (left: number, resetMs: number) => ({
  ratelimit: `"default";r=${left};t=${Math.ceil(resetMs / 1_000)}`,
});
const asEpoch = (left: number, resetMs: number) => ({
  'x-ratelimit-remaining': String(left),
  'x-ratelimit-reset': String(Date.now() + resetMs),
});

describe('the quota of a server', () => {
  it.each([
    ['RateLimit', asDraft11],
    ['X-RateLimit-*', asEpoch],
  ])('told by %s is kept: nothing is refused, whoever asks at the same time', async (_, tell) => {
    const counts = limiting(10, 1_000, tell);
    const api = open();
    await api.get('/first');
    await Promise.all(Array.from({ length: 24 }, (_, index) => api.get(`/${index}`)));
    expect(counts).toEqual({ answered: 25, refused: 0 });
  });

  it('costs a storm of refusals without pacing', async () => {
    const counts = limiting(10, 60_000, asEpoch);
    const api = open({ pacing: false });
    await Promise.all(Array.from({ length: 24 }, (_, index) => api.get(`/${index}`).catch(() => undefined)));
    expect(counts.refused).toBeGreaterThan(0);
  });

  it('that comes back too late is refused at once, with the time to wait, and nothing is sent', async () => {
    answer = (_, response) => json(response, {}, { 'ratelimit-remaining': '0', 'ratelimit-reset': '3600' });
    const api = open({ pacing: { maxWaitMs: 1_000, maxPauseMs: 60_000 } });
    await api.get('/a');
    const error = (await rejection(api.get('/b'))) as RateLimitError;
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.retryAfterMs).toBeGreaterThan(1_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(error.message).toContain(server.origin);
    expect(server.seen).toHaveLength(1);
  });

  it('is not believed to be used up for longer than maxPauseMs', async () => {
    answer = (_, response) => json(response, {}, { 'ratelimit-remaining': '0', 'ratelimit-reset': '86400' });
    const api = open({ pacing: { maxPauseMs: 30 } });
    for (const path of ['/a', '/b', '/c']) await api.get(path);
    expect(server.seen).toHaveLength(3);
  });

  it('is not that of another origin', async () => {
    await using other = await serve((_, response) => json(response, {}));
    answer = (_, response) => json(response, {}, { 'ratelimit-remaining': '0', 'ratelimit-reset': '3600' });
    const api = open({ security: { allow: [other.origin] }, pacing: { maxWaitMs: 0 } });
    await api.get('/a');
    expect(await rejection(api.get('/b'))).toBeInstanceOf(RateLimitError);
    await api.get(`${other.origin}/x`);
    expect(other.seen).toHaveLength(1);
  });

  it('is waited for in a line that can be aborted and has an end', async () => {
    answer = (_, response) => json(response, {}, { 'ratelimit-remaining': '0', 'ratelimit-reset': '20' });
    const api = open({ pacing: { maxQueue: 1 } });
    await api.get('/a');
    const controller = new AbortController();
    const waiting = rejection(api.request('/b', { signal: controller.signal }));
    expect(((await rejection(api.get('/c'))) as QueueFullError).code).toBe('QUEUE_FULL');
    controller.abort('gone');
    expect(await waiting).toBe('gone');
    expect(await rejection(api.request('/d', { timeoutMs: 30 }))).toMatchObject({ code: 'TIMEOUT' });
    expect(server.seen).toHaveLength(1);
  });

  it('that a server stops telling of is forgotten', async () => {
    let tells = true;
    answer = (_, response) => {
      const headers: Record<string, string> = tells ? asEpoch(0, 100) : {};
      tells = false;
      json(response, {}, headers);
    };
    const api = open();
    await api.get('/a');
    await Promise.all(Array.from({ length: 50 }, (_, index) => api.get(`/${index}`)));
    expect(server.seen).toHaveLength(51);
  });

  it('counts what is on the way as used', async () => {
    const waiting: (() => void)[] = [];
    answer = (seen, response) => {
      const send = (left: number) => json(response, {}, asEpoch(left, 20_000));
      if (seen.url === '/first') send(2);
      else waiting.push(() => send(0));
    };
    const api = open();
    await api.get('/first');
    const calls = Array.from({ length: 5 }, (_, index) => rejection(api.request(`/${index}`, { timeoutMs: 400 })));
    await until(() => waiting.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.seen).toHaveLength(3);
    await Promise.all(calls);
  });

  it('is kept by streams too, which tell of it and wait for it', async () => {
    answer = (seen, response) => json(response, {}, asEpoch(seen.url === '/last' ? 0 : 5, 300));
    const api = open();
    const startedAt = performance.now();
    await (await api.stream('/last')).cancel();
    await (await api.stream('/next')).cancel();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
    const impatient = open({ pacing: { maxWaitMs: 50 } });
    await (await impatient.stream('/last')).cancel();
    expect(await rejection(impatient.stream('/next'))).toBeInstanceOf(RateLimitError);
    expect(await rejection(impatient.get('/next'))).toBeInstanceOf(RateLimitError);
  });
});
