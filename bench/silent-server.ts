/** The other side of `http-abort.bench.ts`, in a process of its own: what it is asked is never finished. */
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';

const server = createServer(({ url }, response) => {
  if (url === '/head') response.writeHead(200, { 'content-type': 'application/json' }).write('[1,');
  if (url === '/quota') response.writeHead(200, { 'ratelimit-remaining': '0', 'ratelimit-reset': '3600' }).end();
});
/** Takes connections and says nothing: a TLS handshake with it goes on and on. */
const mute = createSocketServer((socket) => socket.on('error', () => undefined));
server.listen(0, '127.0.0.1', () =>
  mute.listen(0, '127.0.0.1', () => process.send?.([server, mute].map((each) => (each.address() as AddressInfo).port))),
);
process.on('disconnect', () => process.exit());
