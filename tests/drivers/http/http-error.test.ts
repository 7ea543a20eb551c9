import { inspect } from 'node:util';
import { SaflaError } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';
import { HTTPError } from '../../../src/drivers/http/index.js';

const make = (status: number, headers: Record<string, string> = {}, data?: unknown) =>
  new HTTPError({ method: 'GET', url: 'https://api.example.com/orders/1?token=hunter2', status, headers, data });

describe('HTTPError', () => {
  it('names method, origin, path and status, not the query', () => {
    const error = make(404);
    expect(error.message).toBe('GET https://api.example.com/orders/1 answered 404');
    expect([error.status, error.method, error.path]).toEqual([404, 'GET', 'https://api.example.com/orders/1']);
    expect(SaflaError.is(error)).toBe(true);
    expect(error.code).toBe('HTTP_STATUS');
  });

  it.each([408, 429, 500, 502, 503, 504])('is retryable for %d', (status) => {
    expect(make(status).retryable).toBe(true);
  });

  it.each([301, 304, 400, 401, 403, 404, 409, 422, 501, 505])('is not retryable for %d', (status) => {
    expect(make(status).retryable).toBe(false);
  });

  it('tells the wait the server asked for, and nothing when it asked for none', () => {
    expect(make(503, { 'retry-after': '2' }).retryAfterMs).toBe(2_000);
    expect('retryAfterMs' in make(503)).toBe(false);
  });

  it('shows masked headers and the data to who asks, and to nobody else', () => {
    const error = make(422, { 'set-cookie': 'sid=hunter2', 'x-total': '3' }, { password: 'hunter2' });
    expect(error.headers).toEqual({ 'set-cookie': '[redacted]', 'x-total': '3' });
    expect(error.data).toEqual({ password: 'hunter2' });
    const shown = inspect(error, { depth: Number.POSITIVE_INFINITY }) + JSON.stringify(error) + error.stack;
    expect(shown).not.toContain('hunter2');
    expect(Object.keys(error)).not.toContain('headers');
  });
});
