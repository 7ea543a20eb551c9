/**
 * Events of a GraphQL server as an async iterator: the connection is cut, comes back and is subscribed again.
 *
 *     npx tsx examples/graphql-subscriptions.ts
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphQLIntegration, gql } from '@safla/sdk/graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createSchema } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

const Prices = gql<{ price: { sku: string; cents: number } }, { sku: string }>`
  subscription Prices($sku: ID!) { price(sku: $sku) { sku cents } }
`;

const server = await startServer();
await using shop = new GraphQLIntegration({
  endpoint: server.endpoint,
  headers: { authorization: 'Bearer demo' },
  subscriptions: { reconnect: { baseDelayMs: 10 } },
});

// It begins with the loop and ends when the loop is left.
const seen: number[] = [];
const onReconnect = (): void => console.log('the connection came back; events between are gone');
for await (const { price } of shop.subscribe(Prices, { sku: 'tea' }, { onReconnect, timeoutMs: 20_000 })) {
  seen.push(price.cents);
  if (seen.length === 3) server.cut();
  if (seen.length === 6) break;
}
console.log(`prices: ${seen.join(', ')}`);
assert.equal(seen.length, 6);
assert.equal(shop.stats().subscriptions.reconnects, 1);

// A reader that is too slow for its buffer is told, or loses events, as it chose.
const latest = shop.subscribe(Prices, { sku: 'coffee' }, { buffer: { maxItems: 1, overflow: 'drop-oldest' } });
await latest.next();
await sleep(200);
const { value } = await latest.next();
console.log(`the newest price of coffee is ${value?.price.cents}`);
await latest.return?.();
assert.ok(shop.stats().subscriptions.dropped > 0);

await shop.close();
server.close();

async function startServer() {
  const schema = createSchema({
    typeDefs: `
      type Query { ready: Boolean }
      type Subscription { price(sku: ID!): Price! }
      type Price { sku: ID! cents: Int! }
    `,
    resolvers: {
      Subscription: {
        price: {
          subscribe: async function* (_: unknown, { sku }: { sku: string }) {
            for (let cents = 100; ; cents++) {
              yield { price: { sku, cents } };
              await sleep(10);
            }
          },
        },
      },
    },
  });
  const sockets = new Set<Socket>();
  const http = createServer().listen(0, '127.0.0.1');
  http.on('connection', (socket) => sockets.add(socket));
  useServer({ schema }, new WebSocketServer({ server: http, path: '/graphql' }));
  await new Promise((resolve) => http.once('listening', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  const endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`;
  return { endpoint, cut, close: () => http.close() };
}
