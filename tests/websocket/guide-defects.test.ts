import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ConnectionError } from '@safla/sdk/core';
import { FaultProxy } from '@safla/sdk/testing';
import { type Disconnected, WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { echo, failure, pause, record, startServer, until } from './support.js';

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What the class of the guide did wrong, each with the input that showed it. */
describe('defects of the guide', () => {
  it('close() does not reconnect', async () => {
    await using server = await startServer();
    const ws = new WebSocketIntegration({ url: server.url, reconnect: { baseDelayMs: 1 } });
    await ws.connect();
    await ws.close();
    await pause(100);
    expect(server.connections).toHaveLength(1);
    expect(server.open()).toBe(0);
  });

  it('a refused connection without an error listener rejects and crashes nothing', async () => {
    await using ws = new WebSocketIntegration({ url: `ws://127.0.0.1:${await closedPort()}`, reconnect: false });
    const error = await failure(ws.connect());
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ systemCode: 'ECONNREFUSED' });
  });

  it('close() while connecting ends the attempt', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    proxy.freeze();
    const ws = new WebSocketIntegration(proxy.url);
    const connecting = failure(ws.connect());
    await until(() => proxy.connections.accepted === 1);
    await ws.close();
    expect(await connecting).toMatchObject({ code: 'CLOSED' });
    expect(ws.state).toBe('closed');
  });

  it('connect() twice opens one socket, also when called again once open', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration(server.url);
    await Promise.all([ws.connect(), ws.connect()]);
    await ws.connect();
    expect(server.connections).toHaveLength(1);
    await ws.close();
    await until(() => server.open() === 0);
  });

  it('a connect() that rejects does not connect later in the background', async () => {
    const port = await closedPort();
    await using ws = new WebSocketIntegration({
      url: `ws://127.0.0.1:${port}`,
      reconnect: { maxAttempts: 1, baseDelayMs: 1 },
    });
    await failure(ws.connect());
    expect(ws.state).toBe('idle');
    await using server = await startServer(undefined, {}, port);
    await pause(200);
    expect(server.connections).toHaveLength(0);
    await ws.connect();
    expect(server.connections).toHaveLength(1);
  });

  it('a message that is sent before the connection is open arrives', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration(server.url);
    void ws.send('early');
    expect(ws.state).toBe('idle');
    await ws.connect();
    await until(() => server.received.length === 1);
    expect(server.received).toEqual(['"early"']);
  });

  it("an error in the user's message handler is told as such, and the next message comes", async () => {
    await using server = await startServer(echo);
    await using ws = new WebSocketIntegration(server.url);
    const boom = new Error('boom');
    const seen: unknown[] = [];
    ws.on('message', () => {
      throw boom;
    });
    ws.on('message', (message) => seen.push(message));
    const [handlerErrors, decodeErrors] = [record(ws, 'handlerError'), record(ws, 'decodeError')];
    await ws.connect();
    ws.send(1);
    ws.send(2);
    await until(() => seen.length === 2);
    expect(handlerErrors).toEqual([
      { listenerOf: 'message', error: boom },
      { listenerOf: 'message', error: boom },
    ]);
    expect(decodeErrors).toEqual([]);
  });

  it('a binary frame is a message: JSON when it is JSON, else its bytes', async () => {
    await using server = await startServer((socket) => {
      socket.send(Buffer.from([0xff, 0x00, 0x01]));
      socket.send(Buffer.from('{"a":1}'));
    });
    await using ws = new WebSocketIntegration(server.url);
    const messages = record<unknown>(ws, 'message');
    await ws.connect();
    await until(() => messages.length === 2);
    expect(messages[0]).toEqual(Buffer.from([0xff, 0x00, 0x01]));
    expect(messages[1]).toEqual({ a: 1 });
  });

  it('a process ends by itself after close(), also when the server never came', async () => {
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL('./fixtures/closes.ts', import.meta.url))],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PORT: String(await closedPort()) } },
    );
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk));
    const [code] = (await once(child, 'close')) as [number];
    expect(out).toMatch(/^left \d+\n$/);
    expect(code).toBe(0);
    // The guide's class kept it alive for 15 s.
    expect(Number(out.slice(5))).toBeLessThan(5_000);
  });

  it('a black hole is noticed, and what is sent into it stays within bounds', async () => {
    await using server = await startServer(echo);
    await using proxy = await FaultProxy.start({ target: server.url });
    await using ws = new WebSocketIntegration({
      url: proxy.url,
      heartbeat: { intervalMs: 300, timeoutMs: 300 },
      queue: { maxItems: 100, maxBytes: 2_000_000 },
      backpressure: { highBytes: 1_000_000, lowBytes: 100_000 },
      reconnect: { baseDelayMs: 60_000, random: () => 1 },
    });
    const endings = record<Disconnected>(ws, 'disconnected');
    const dropped = record(ws, 'dropped');
    await ws.connect();
    proxy.freeze();
    const message = 'x'.repeat(64_000);
    for (let i = 0; i < 400; i++) ws.send(message);
    const { bufferedBytes, queued } = ws.stats();
    expect(bufferedBytes + queued.bytes).toBeLessThan(3_200_000);
    await until(() => endings.length === 1);
    expect(endings[0]).toMatchObject({ code: 1006, willReconnect: true, error: { code: 'CONNECTION' } });
    expect(ws.state).toBe('backoff');
    expect(dropped.length).toBe(ws.stats().droppedOut);
    expect(ws.stats().sent + ws.stats().queued.items + dropped.length).toBe(400);
  });
});
