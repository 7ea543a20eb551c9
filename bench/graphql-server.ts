/** The other side of `graphql.bench.ts`, in a process of its own: the same small result to every request. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const data = {
  user: { id: '42', name: 'Ada Lovelace', email: 'ada@example.com', profile: { bio: 'x'.repeat(80), avatar: null } },
};
const body = JSON.stringify({ data });
const headers = { 'content-type': 'application/graphql-response+json', 'content-length': String(body.length) };
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(200, headers).end(body));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
