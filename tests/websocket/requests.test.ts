import { ClosedError, QueueFullError, ValidationError } from '@safla/sdk/core';
import { FaultProxy } from '@safla/sdk/testing';
import { DisconnectedError, WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { failure, record, startServer, until } from './support.js';

/** Answers `{ id, add: [a, b] }` with `{ id, sum }`, later ones first, and says other things in between. */
function calculator(socket: WebSocket): void {
  let last = Promise.resolve();
  socket.on('message', (data) => {
    const { id, add, ignore } = JSON.parse(String(data)) as { id: unknown; add?: [number, number]; ignore?: true };
    if (ignore || !add) return;
    socket.send(JSON.stringify({ news: 'in between' }));
    last = last.then(() => socket.send(JSON.stringify({ id, sum: add[0] + add[1] })));
  });
}

describe('request', () => {
  it('resolves each request with its own answer and leaves other messages alone', async () => {
    await using server = await startServer(calculator);
    await using ws = new WebSocketIntegration(server.url);
    const messages = record<unknown>(ws, 'message');
    await ws.connect();
    const answers = await Promise.all([1, 2, 3].map((n) => ws.request({ add: [n, n] })));
    expect(answers).toMatchObject([{ sum: 2 }, { sum: 4 }, { sum: 6 }]);
    expect(messages).toEqual([{ news: 'in between' }, { news: 'in between' }, { news: 'in between' }]);
    expect(ws.stats().requests).toBe(0);
  });

  it('keeps an id that is there, a number too, and refuses a second of the same', async () => {
    await using server = await startServer(calculator);
    await using ws = new WebSocketIntegration(server.url);
    await ws.connect();
    const [first, second] = [ws.request({ id: 7, add: [1, 1] }), failure(ws.request({ id: '7', add: [1, 1] }))];
    expect(await first).toEqual({ id: 7, sum: 2 });
    expect(await second).toBeInstanceOf(ValidationError);
  });

  it('knows an answer whose id the schema leaves out', async () => {
    await using server = await startServer(calculator);
    await using ws = new WebSocketIntegration({ url: server.url, schema: z.object({ sum: z.number() }) });
    await ws.connect();
    expect(await ws.request({ add: [1, 2] })).toEqual({ sum: 3 });
  });

  it('rejects at once when the schema refuses the answer', async () => {
    await using server = await startServer(calculator);
    await using ws = new WebSocketIntegration({ url: server.url, schema: z.object({ sum: z.string() }) });
    const errors = record<{ readonly data: unknown }>(ws, 'decodeError');
    await ws.connect();
    expect(await failure(ws.request({ add: [1, 2] }))).toBeInstanceOf(ValidationError);
    expect(errors.map(({ data }) => data)).toEqual(['{"news":"in between"}']);
    expect(ws.stats()).toMatchObject({ requests: 0, decodeErrors: 2 });
  });

  it('takes another field, or a way of your own', async () => {
    await using server = await startServer((socket) => {
      socket.on('message', (data) => socket.send(data, { binary: false }));
    });
    await using byField = new WebSocketIntegration({ url: server.url, correlation: 'ref' });
    await byField.connect();
    expect(await byField.request({ a: 1 })).toMatchObject({ a: 1, ref: expect.any(String) });
    await using byTuple = new WebSocketIntegration<[string, string], [string, string]>({
      url: server.url,
      correlation: { attach: ([, body], id) => [id, body], idOf: ([id]) => id },
    });
    await byTuple.connect();
    expect(await byTuple.request(['', 'hello'])).toEqual([expect.any(String), 'hello']);
  });

  it('survives an extraction that throws: the message is a message', async () => {
    await using server = await startServer((socket) => {
      socket.on('message', () => socket.send('null'));
    });
    await using ws = new WebSocketIntegration({
      url: server.url,
      correlation: { attach: (message) => message, idOf: (message) => (message as { id: string }).id },
    });
    const [messages, handlerErrors] = [
      record<unknown>(ws, 'message'),
      record<{ listenerOf: string }>(ws, 'handlerError'),
    ];
    await ws.connect();
    expect(await failure(ws.request({ a: 1 }, { timeoutMs: 100 }))).toMatchObject({ code: 'TIMEOUT' });
    expect(messages).toEqual([null]);
    expect(handlerErrors[0]?.listenerOf).toBe('correlation');
  });

  it('ends with its time or its signal, and a late answer is an ordinary message', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration({ url: server.url, requestTimeoutMs: 30 });
    const messages = record<unknown>(ws, 'message');
    await ws.connect();
    expect(await failure(ws.request({ id: 'a' }))).toMatchObject({ code: 'TIMEOUT', timeoutMs: 30 });
    const reason = new Error('enough');
    expect(await failure(ws.request({ id: 'b' }, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    server.latest().send('{"id":"a"}');
    await until(() => messages.length === 1);
    expect(ws.stats().requests).toBe(0);
  });

  it('that was sent ends with the connection; one that still waits goes out on the next', async () => {
    await using server = await startServer(calculator);
    await using proxy = await FaultProxy.start({ target: server.url });
    await using ws = new WebSocketIntegration({ url: proxy.url, reconnect: { baseDelayMs: 1 } });
    await ws.connect();
    const lost = failure(ws.request({ ignore: true }));
    await until(() => server.received.length === 1);
    proxy.cut();
    const error = await lost;
    expect(error).toBeInstanceOf(DisconnectedError);
    expect(error).toMatchObject({ closeCode: 1006, retryable: true });
    expect(ws.state).toBe('backoff');
    expect(await ws.request({ add: [2, 3] })).toMatchObject({ sum: 5 });
  });

  it('refuses what has no place for an id, and more than maxRequests', async () => {
    await using server = await startServer(calculator);
    await using ws = new WebSocketIntegration({ url: server.url, maxRequests: 1 });
    await ws.connect();
    for (const bad of ['text', 5, null, [1]]) expect(await failure(ws.request(bad))).toBeInstanceOf(ValidationError);
    const first = ws.request({ add: [1, 1] });
    expect(await failure(ws.request({ add: [2, 2] }))).toBeInstanceOf(QueueFullError);
    expect(await first).toMatchObject({ sum: 2 });
  });

  it('may finish while the connection is closed, as far as the time allows', async () => {
    await using server = await startServer((socket) => {
      socket.on('message', (data) => {
        const { id, never } = JSON.parse(String(data)) as { id: string; never?: true };
        if (!never) setTimeout(() => socket.send(JSON.stringify({ id, late: true })), 50);
      });
    });
    const ws = new WebSocketIntegration(server.url);
    await ws.connect();
    const [answered, unanswered] = [ws.request({ a: 1 }), failure(ws.request({ never: true }))];
    const closing = ws.close({ timeoutMs: 1_000 });
    expect(await failure(ws.request({ a: 2 }))).toBeInstanceOf(ClosedError);
    expect(await answered).toMatchObject({ late: true });
    expect(await unanswered).toBeInstanceOf(ClosedError);
    await closing;
  });
});
