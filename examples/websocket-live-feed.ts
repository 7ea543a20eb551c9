/**
 * A live stream that survives its server: a feed on loopback restarts in the middle, and the loop that
 * reads it misses nothing, because the subscription asks for what comes after the last tick it saw.
 *
 *     npx tsx examples/websocket-live-feed.ts
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketIntegration } from '@safla/sdk/websocket';
import { WebSocketServer } from 'ws';
import { z } from 'zod';

const Tick = z.object({ seq: z.number(), price: z.number() });
const history = Array.from({ length: 12 }, (_, i) => ({ seq: i + 1, price: 100 + Math.round(10 * Math.sin(i)) }));

/** Sends the ticks after the one the client names, four of them; then it goes away without a word. */
async function startFeed(port: number): Promise<WebSocketServer> {
  const feed = new WebSocketServer({ port, host: '127.0.0.1' });
  feed.on('connection', (socket, request) => {
    assert.equal(request.headers.authorization, 'Bearer fresh-token');
    socket.on('message', (data) => {
      const { after } = JSON.parse(String(data)) as { after: number };
      for (const tick of history.slice(after, after + 4)) socket.send(JSON.stringify(tick));
      socket.send('not a tick', () => setTimeout(() => socket.terminate(), 20));
    });
  });
  await once(feed, 'listening');
  return feed;
}

let feed = await startFeed(0);
const { port } = feed.address() as AddressInfo;

await using ticks = new WebSocketIntegration({
  url: `ws://127.0.0.1:${port}`,
  token: async () => 'fresh-token', // asked for at every attempt, so it may expire
  schema: Tick,
  reconnect: { baseDelayMs: 20, maxDelayMs: 100 },
});
ticks.on('disconnected', ({ code, willReconnect }) => console.log(`lost (${code}); comes back: ${willReconnect}`));
let refused = 0;
ticks.on('decodeError', () => {
  refused += 1;
});

let last = 0;
ticks.subscribe('prices', { open: () => ({ after: last }) });
const loop = (async () => {
  const prices: number[] = [];
  for await (const { seq, price } of ticks) {
    assert.equal(seq, last + 1);
    last = seq;
    prices.push(price);
    if (seq === history.length) break;
  }
  return prices;
})();
await ticks.connect();

// The server is down for a while; clients cannot tell why.
await new Promise((resolve) => ticks.once('disconnected', resolve));
feed.close();
await new Promise((resolve) => setTimeout(resolve, 100));
feed = await startFeed(port);

const prices = await loop;
assert.deepEqual(
  prices,
  history.map(({ price }) => price),
);
assert.ok(refused >= 2);
console.log(
  `${prices.length} ticks in order over ${ticks.stats().connections} connections; ${refused} frames were no ticks`,
);
await ticks.close();
feed.close();
