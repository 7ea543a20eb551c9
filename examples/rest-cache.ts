/**
 * The cache of a REST API: fresh answers, revalidation, stale answers while a new one is fetched and while the
 * server is down, and what a write does to them. Against a small server on loopback.
 *
 *     npx tsx examples/rest-cache.ts
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { APIIntegration, NotCachedError } from '@safla/sdk/api';

let price = 10;
let isDown = false;
const asked: string[] = [];
const lifetimes: Record<string, string> = {
  '/prices/7': 'max-age=60',
  '/stock': 'no-cache',
  '/news': 'max-age=0, stale-while-revalidate=60',
  '/rates': 'max-age=0, stale-if-error=600',
  '/balance': 'max-age=0, must-revalidate',
};
const server = createServer((request, response) => {
  const { method, url = '' } = request;
  request.resume();
  if (isDown) return response.destroy();
  if (method === 'PUT') price += 1;
  const etag = `"${price}"`;
  const isCurrent = request.headers['if-none-match'] === etag;
  asked.push(`${method} ${url}${isCurrent ? ' (304)' : ''}`);
  const headers = { 'content-type': 'application/json', etag, 'cache-control': lifetimes[url] ?? 'no-store' };
  return response.writeHead(isCurrent ? 304 : 200, headers).end(isCurrent ? undefined : JSON.stringify({ price }));
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));

const shop = new APIIntegration({
  baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  cache: true,
  policy: { retry: false },
});

/** Asks, and tells how the answer came about. */
async function ask(path: string): Promise<number> {
  const before = asked.length;
  const { data, fromCache, attempts } = await shop.request(path);
  const seen = (data as { price: number }).price;
  const origin = !fromCache
    ? 'from the server'
    : attempts === 0
      ? 'from the cache'
      : 'from the cache, the server was asked';
  console.log(`${path.padEnd(10)} ${seen}  ${origin.padEnd(37)} ${asked.slice(before).join(', ')}`);
  return seen;
}

console.log('Fresh for a minute: the second call sends nothing');
await ask('/prices/7');
assert.equal(await ask('/prices/7'), 10);
assert.equal(asked.length, 1);

console.log('\nA write makes its URL be asked for again');
await shop.put('/prices/7', { price: 11 });
assert.equal(await ask('/prices/7'), 11);

console.log('\nno-cache: asked each time, but the content is sent only when it changed');
await ask('/stock');
assert.equal(await ask('/stock'), 11);
assert.equal(asked.at(-1), 'GET /stock (304)');

console.log('\nstale-while-revalidate: the old answer at once, a new one for the next');
await ask('/news');
price = 12;
lifetimes['/news'] = 'max-age=60';
assert.equal(await ask('/news'), 11);
while ((shop.stats().cache?.stored ?? 0) < 6) await sleep(5);
assert.equal(await ask('/news'), 12);

console.log('\nThe server goes down: stale-if-error gives what there is, must-revalidate forbids it');
for (const path of ['/rates', '/balance']) await ask(path);
isDown = true;
assert.equal(await ask('/rates'), 12);
const refused = await shop.request('/balance').catch((error: unknown) => error);
assert.ok(refused instanceof NotCachedError && refused.retryable);
console.log(`/balance   ${refused.message.replace(/http:\S+:\d+/, '')}`);

const { cache } = shop.stats();
assert.ok(cache);
const { hits, misses, revalidated, staleHits, staleOnError } = cache;
console.log(`\n${JSON.stringify({ hits, misses, revalidated, staleHits, staleOnError })}`);
await shop.close();
server.close();
