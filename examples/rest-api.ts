/**
 * A REST API with types, a cache, retries and a rate, against a small server on loopback.
 *
 *     npx tsx examples/rest-api.ts
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration, HTTPError, path } from '@safla/sdk/api';
import { RateLimitError, ValidationError } from '@safla/sdk/core';
import { z } from 'zod';

const Order = z.object({
  id: z.string(),
  total: z.number(),
  placed: z.iso.datetime().transform((text) => new Date(text)),
});

const asked: string[] = [];
let outage = 2;
const server = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  const answer = (status: number, data: unknown, headers: Record<string, string> = {}): unknown =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(data));
  request.resume();
  if (request.headers.authorization !== 'Bearer demo') return answer(401, { error: 'who are you?' });
  if (request.url === '/v1/orders/404') return answer(404, { error: 'no such order' });
  if (request.url === '/v1/payments' && outage-- > 0) return answer(503, {}, { 'retry-after': '0' });
  const order = { id: '7', total: 42.5, placed: '2026-01-02T03:04:05Z' };
  return answer(200, order, { 'cache-control': 'max-age=60' });
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;

// Everything that can be set is set here; each request can add its own deadline and signal.
await using shop = new APIIntegration({ baseURL, auth: 'demo', cache: true, policy: { retry: { baseDelayMs: 10 } } });
assert.deepEqual(await shop.authenticate(), { success: true });

// Types come from the schema, and the data is checked by it.
const first = await shop.request(path`/orders/${'7'}`, { schema: Order, timeoutMs: 2_000 });
assert.equal(first.data.placed.getUTCFullYear(), 2026);
const second = await shop.request(path`/orders/${'7'}`, { schema: Order });
console.log(`order ${second.data.id}: ${second.data.total}, from cache: ${second.fromCache}`);
assert.equal(second.fromCache, true);

// A POST is repeated only when a key makes that safe.
const paid = await shop.request('/payments', { method: 'POST', body: { order: '7' }, idempotencyKey: 'pay-order-7' });
console.log(`payment: attempt ${paid.attempts} of 3 was answered ${paid.status}`);
assert.equal(paid.attempts, 3);

// Failures are typed, and say nothing that must not be in a log.
const missing = await shop.get('/orders/404').catch((error: unknown) => error);
assert.ok(missing instanceof HTTPError);
console.log(`${missing.message}; the server says ${JSON.stringify(missing.data)}`);

// Ids from outside cannot leave their place, and endpoints from outside cannot leave the API.
const hostile = path`/orders/${'7/../../admin?all=1'}`;
assert.equal(hostile, '/orders/7%2F..%2F..%2Fadmin%3Fall%3D1');
const count = asked.length;
for (const endpoint of ['//evil.example/orders', 'https://evil.example', '/../admin', '/%2e%2e/admin'])
  assert.ok((await shop.get(endpoint).catch((error: unknown) => error)) instanceof ValidationError);
assert.equal(asked.length, count);

// The short form: a key, 2 calls an hour, and a cache that costs none of them.
await using metered = new APIIntegration(baseURL, 'demo', 2);
await Promise.all(Array.from({ length: 20 }, () => metered.get('/orders/7')));
await metered.get('/orders/8');
const refused = await metered.get('/orders/9').catch((error: unknown) => error);
assert.ok(refused instanceof RateLimitError);
console.log(
  `21 calls took ${metered.stats().policy.limiter?.granted} of 2 turns; the next is ${Math.round(refused.retryAfterMs / 60_000)} minutes away`,
);

console.log(`health: ${JSON.stringify(await shop.health())}`);
server.close();
