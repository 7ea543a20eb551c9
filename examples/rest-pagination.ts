/**
 * A list in pages, and an answer that is read while it comes in, against a small server on loopback.
 *
 *     npx tsx examples/rest-pagination.ts
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration } from '@safla/sdk/api';
import { ValidationError } from '@safla/sdk/core';
import { z } from 'zod';

const Order = z.object({ id: z.number(), total: z.number() });
const orders = Array.from({ length: 25 }, (_, index) => ({ id: index + 1, total: (index % 7) + 0.5 }));

let asked = 0;
const server = createServer(async (request, response) => {
  asked += 1;
  const url = new URL(request.url ?? '', 'http://x');
  const page = Number(url.searchParams.get('page') ?? 1);
  const after = Number(url.searchParams.get('after') ?? 0);
  switch (url.pathname) {
    // As GitHub does it: the next page in a header.
    case '/v1/orders': {
      const link = page < 3 ? { link: `<?page=${page + 1}>; rel="next"` } : {};
      return response
        .writeHead(200, { 'content-type': 'application/json', ...link })
        .end(JSON.stringify(orders.slice(page * 10 - 10, page * 10)));
    }
    // As Stripe or Slack do it: a cursor in the data.
    case '/v1/search': {
      const cursor = after + 10 < orders.length ? after + 10 : null;
      return response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ orders: orders.slice(after, after + 10), meta: { cursor } }));
    }
    case '/v1/hijacked':
      return response
        .writeHead(200, { 'content-type': 'application/json', link: '<https://evil.example/>; rel=next' })
        .end('[]');
    // One order a line, a few at a time.
    case '/v1/export.ndjson':
      for (const order of orders) {
        response.write(`${JSON.stringify(order)}\n`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return response.end();
    case '/v1/events':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return response.end('id: 1\nevent: paid\ndata: {"id":7}\n\nid: 2\nevent: shipped\ndata: {"id":7}\n\n');
  }
  return response.writeHead(404).end();
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;

await using shop = new APIIntegration({ baseURL, auth: 'demo' });

// Items of all pages, checked one by one; a page is asked for when the one before is used up.
let sum = 0;
for await (const order of shop.paginate('/orders', { schema: Order })) sum += order.total;
console.log(`25 orders in ${asked} pages, together ${sum}`);
assert.equal(asked, 3);

// Leave the loop, or give a limit: no page is asked for in vain.
asked = 0;
const first = await shop
  .paginate('/search', { next: { cursor: 'meta.cursor', param: 'after' }, items: 'orders', schema: Order, limit: 12 })
  .toArray();
console.log(`${first.length} orders in ${asked} pages by cursor, the last is number ${first.at(-1)?.id}`);
assert.deepEqual([first.length, asked], [12, 2]);

// A link that leads elsewhere is not followed: the key stays here.
const hijacked = await shop
  .paginate('/hijacked')
  .toArray()
  .catch((error: unknown) => error);
assert.ok(hijacked instanceof ValidationError);
console.log(`refused: ${hijacked.message}`);

// Large answers are read while they come in; leaving the loop ends the request.
await using report = await shop.stream('/export.ndjson', { timeoutMs: 5_000, idleTimeoutMs: 5_000 });
let rows = 0;
for await (const row of report.records({ schema: Order })) {
  rows += 1;
  if (row.total > 6) break;
}
console.log(`${rows} rows read of an export, then left`);
assert.equal(rows, 7);

const names: string[] = [];
for await (const event of (await shop.stream('/events')).events()) names.push(`${event.event} ${event.id}`);
console.log(`events: ${names.join(', ')}`);
assert.deepEqual(names, ['paid 1', 'shipped 2']);

await shop.close();
server.close();
