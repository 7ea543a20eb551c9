/** Answers with JSON that stays fresh for an hour, and tells its parent the port. Ends with it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const order = (id: number): object => ({
  id: String(id),
  total: 42.5,
  placed: '2026-01-02T03:04:05Z',
  lines: [
    { sku: 'a', quantity: 1 },
    { sku: 'b', quantity: 2 },
  ],
  customer: { name: 'Ada', email: 'ada@example.com' },
});

const server = createServer((request, response) => {
  const data = request.url?.startsWith('/orders/') ? order(7) : Array.from({ length: 46 }, (_, id) => order(id));
  const headers = { 'content-type': 'application/json', 'cache-control': 'public, max-age=3600', etag: '"1"' };
  response.writeHead(200, headers).end(JSON.stringify(data));
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
