/** The other side of `http.bench.ts`, in a process of its own: 200 bytes of JSON to every request. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const body = JSON.stringify({ id: 42, name: 'widget', filler: 'x'.repeat(200 - 39) });
const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, headers).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
