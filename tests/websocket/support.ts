import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';

/** A WebSocket server of its own on loopback. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Every connection there ever was, oldest first. */
  readonly connections: readonly WebSocket[];
  readonly requests: readonly IncomingMessage[];
  /** Text frames as they arrived, over all connections. */
  readonly received: readonly string[];
  /** How many are open now. */
  open(): number;
  latest(): WebSocket;
}

/** @param onConnection Called for each connection, before any message. @default answers nothing */
export async function startServer(
  onConnection: (socket: WebSocket, request: IncomingMessage) => void = () => undefined,
  options: ServerOptions = {},
  port = 0,
): Promise<TestServer> {
  const http: Server = createServer();
  const server = new WebSocketServer({ server: http, ...options });
  const connections: WebSocket[] = [];
  const requests: IncomingMessage[] = [];
  const received: string[] = [];
  server.on('connection', (socket, request) => {
    connections.push(socket);
    requests.push(request);
    socket.on('error', () => undefined);
    socket.on('message', (data) => received.push(String(data)));
    onConnection(socket, request);
  });
  http.listen(port, '127.0.0.1');
  await once(http, 'listening');
  const bound = (http.address() as AddressInfo).port;
  return {
    url: `ws://127.0.0.1:${bound}`,
    port: bound,
    connections,
    requests,
    received,
    open: () => connections.filter(({ readyState }) => readyState === 1).length,
    latest() {
      const last = connections.at(-1);
      if (!last) throw new Error('nobody connected');
      return last;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.terminate();
      server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** Sends every text frame back as it came. */
export function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

/** Waits until a condition holds; the machine may be slow. */
export function until(condition: () => boolean): Promise<void> {
  return vi.waitFor(
    () => {
      if (!condition()) throw new Error('not yet');
    },
    { timeout: 20_000, interval: 5 },
  );
}

/** What rejected, for looking at it. */
export function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it was expected to reject');
    },
    (error: unknown) => error,
  );
}

/** Collects what an emitter says, in order. */
export function record<T>(emitter: { on(event: never, listener: (value: T) => void): unknown }, event: string): T[] {
  const seen: T[] = [];
  emitter.on(event as never, (value) => {
    seen.push(value);
  });
  return seen;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
