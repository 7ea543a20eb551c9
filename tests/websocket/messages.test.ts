import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import { WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { echo, record, startServer, until } from './support.js';

describe('WebSocketIntegration', () => {
  it("works in the guide's form: connect, send, events, close", async () => {
    await using server = await startServer(echo);
    const ws = new WebSocketIntegration(server.url);
    const seen: unknown[] = [];
    ws.on('connected', () => seen.push('connected'));
    ws.on('message', (message) => seen.push(message));
    ws.on('disconnected', () => seen.push('disconnected'));
    await ws.connect();
    ws.send({ hello: 1 });
    await until(() => seen.length === 2);
    await ws.close();
    expect(seen).toEqual(['connected', { hello: 1 }, 'disconnected']);
    expect(ws.state).toBe('closed');
  });

  it('is an EventEmitter: on, once, off and emit', async () => {
    await using server = await startServer(echo);
    await using ws = new WebSocketIntegration(server.url);
    expect(ws).toBeInstanceOf(EventEmitter);
    const seen: string[] = [];
    const off = (): void => void seen.push('off');
    ws.on('message', off).once('message', (message) => seen.push(`once ${message}`));
    ws.off('message', off);
    await ws.connect();
    ws.send(1);
    ws.send(2);
    await until(() => ws.stats().received === 2);
    expect(seen).toEqual(['once 1']);
    expect(ws.emit('message', 3)).toBe(false);
  });

  it('misses no message that comes in the same packet as the handshake', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (head) => {
        const key = /sec-websocket-key: (.+)\r\n/i.exec(String(head))?.[1] ?? '';
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        const answer = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
        const frames = ['"a"', '"b"'].flatMap((text) => [0x81, text.length, ...Buffer.from(text)]);
        socket.write(Buffer.concat([Buffer.from(answer), Buffer.from(frames)]));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ws = new WebSocketIntegration(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    const messages = record<unknown>(ws, 'message');
    const first = ws.messages().next();
    await ws.connect();
    await until(() => messages.length === 2);
    expect(messages).toEqual(['a', 'b']);
    expect(await first).toMatchObject({ value: 'a' });
    await ws.close({ timeoutMs: 0 });
    server.close();
  });

  it('goes on when listeners throw, reject or never settle', async () => {
    await using server = await startServer(echo);
    await using ws = new WebSocketIntegration(server.url);
    const handlerErrors = record<{ error: Error }>(ws, 'handlerError');
    ws.on('message', () => new Promise<void>(() => undefined));
    ws.on('message', async () => Promise.reject(new Error('rejected')));
    ws.on('handlerError', () => {
      throw new Error('even here');
    });
    await ws.connect();
    for (let i = 0; i < 3; i++) ws.send(i);
    await until(() => handlerErrors.length === 3);
    expect(handlerErrors.map(({ error }) => error.message)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(ws.state).toBe('open');
  });
});
