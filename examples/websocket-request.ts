/**
 * Request and response over one WebSocket: many at once, deadlines, cancellation, and what becomes of a
 * request when the connection breaks under it.
 *
 *     npx tsx examples/websocket-request.ts
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { TimeoutError } from '@safla/sdk/core';
import { DisconnectedError, WebSocketIntegration } from '@safla/sdk/websocket';
import { WebSocketServer } from 'ws';

/** JSON-RPC 2.0 with three methods: one adds, one never answers, one hangs up. */
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { id, method, params } = JSON.parse(String(data)) as { id: string; method: string; params: number[] };
    if (method === 'crash') socket.terminate();
    if (method !== 'sum') return;
    const result = params.reduce((sum, n) => sum + n, 0);
    // The later the request, the sooner the answer.
    setTimeout(() => socket.send(JSON.stringify({ jsonrpc: '2.0', id, result })), 30 - result);
  });
});
await once(server, 'listening');

interface Call {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: readonly number[];
}
interface Answer {
  readonly result: number;
}

await using rpc = new WebSocketIntegration<Answer, Call>({
  url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
  reconnect: { baseDelayMs: 10 },
});
const call = (method: string, ...params: number[]): Call => ({ jsonrpc: '2.0', method, params });
await rpc.connect();

const answers = await Promise.all([1, 2, 3].map((n) => rpc.request(call('sum', n, n))));
assert.deepEqual(
  answers.map(({ result }) => result),
  [2, 4, 6],
);

const late = await rpc.request(call('think'), { timeoutMs: 50 }).catch((error: unknown) => error);
assert.ok(late instanceof TimeoutError);

const abort = new AbortController();
setTimeout(() => abort.abort(new Error('the user left')), 20);
const aborted = await rpc.request(call('think'), { signal: abort.signal }).catch((error: unknown) => error);
assert.equal((aborted as Error).message, 'the user left');

// Nobody knows what the server did with it: the error says that trying again may help.
const broken = await rpc.request(call('crash')).catch((error: unknown) => error);
assert.ok(broken instanceof DisconnectedError && broken.retryable);
const again = await rpc.request(call('sum', 20, 3)); // waits for the new connection
assert.equal(again.result, 23);

console.log(`sums: ${answers.map(({ result }) => result).join(', ')}, and ${again.result} after a reconnection`);
console.log(`${late.message}; ${broken.message}`);
await rpc.close();
server.close();
