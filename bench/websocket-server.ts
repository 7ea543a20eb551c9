/** The other side of websocket.bench.ts: raw `ws` and socket.io in a process of their own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { type WebSocket, WebSocketServer } from 'ws';

interface Order {
  readonly op: 'echo' | 'sink' | 'burst';
  readonly count?: number;
  readonly payload: unknown;
}

const raw = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
raw.on('connection', (socket: WebSocket) => {
  socket.on('message', (data) => {
    const { op, count = 0, payload } = JSON.parse(String(data)) as Order;
    if (op === 'echo') socket.send(JSON.stringify(payload));
    if (op === 'burst') for (let i = 0; i < count; i++) socket.send(JSON.stringify(payload));
  });
});

/** Ends all connections, and says when as many came back, in milliseconds after that. */
process.on('message', () => {
  const times: number[] = [];
  const count = raw.clients.size;
  const droppedAt = performance.now();
  const onConnection = (): void => {
    if (times.push(performance.now() - droppedAt) < count) return;
    raw.off('connection', onConnection);
    process.send?.(times);
  };
  raw.on('connection', onConnection);
  for (const client of raw.clients) client.terminate();
});

const http = createServer().listen(0, '127.0.0.1');
const io = new Server(http, { transports: ['websocket'] });
io.on('connection', (socket) => {
  socket.on('m', ({ op, count = 0, payload }: Order) => {
    if (op === 'echo') socket.emit('m', payload);
    if (op === 'burst') for (let i = 0; i < count; i++) socket.emit('m', payload);
  });
});

await new Promise((resolve) => http.once('listening', resolve));
process.send?.({ rawPort: (raw.address() as AddressInfo).port, ioPort: (http.address() as AddressInfo).port });
process.once('disconnect', () => process.exit());
