import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ConfigurationError, SaflaError } from '@safla/sdk/core';
import { type Disconnected, WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { echo, failure, record, startServer, until } from './support.js';

const soon = { baseDelayMs: 1, maxDelayMs: 5 } as const;
const url = 'ws://127.0.0.1:9';

describe('options', () => {
  it.each([
    ['http://h', /scheme 'http:'/],
    ['ftp://h', /scheme 'ftp:'/],
    ['h:80/x', /scheme 'h:'/],
    ['', /url must be/],
    ['ws://h/#part', /fragment/],
    ['ws://[', /url must be an absolute URL/],
  ])('refuses the URL %j', (bad, message) => {
    for (const make of [() => new WebSocketIntegration(bad), () => new WebSocketIntegration({ url: bad })]) {
      expect(make).toThrow(ConfigurationError);
      expect(make).toThrow(message);
    }
  });

  it.each([
    [{}, /url/],
    [undefined, /url/],
    [{ url, reconect: {} }, /did you mean 'reconnect'/],
    [{ url, reconnect: { maxAttempts: 0 } }, /reconnect\.maxAttempts/],
    [{ url, reconnect: true }, /reconnect must be false or an options object/],
    [{ url, heartbeat: { intervalMs: -1 } }, /heartbeat\.intervalMs/],
    [{ url, queue: { overflow: 'explode' } }, /queue\.overflow/],
    [{ url, backpressure: { highBytes: 10 } }, /lowBytes must be below highBytes/],
    [{ url, codec: { encode: 1 } }, /codec\.encode/],
    [{ url, schema: {} }, /schema must be a Standard Schema/],
    [{ url, correlation: {} }, /correlation/],
    [{ url, maxPayloadBytes: 0 }, /maxPayloadBytes/],
    [{ url, handshakeTimeoutMs: 0 }, /handshakeTimeoutMs/],
    [{ url, token: 5 }, /token/],
    [{ url, closePolicy: 'stop' }, /closePolicy/],
    [{ url, token: 'two\r\nlines' }, /token: a header has a line break/],
    [{ url, headers: 'x' }, /headers/],
    [{ url, protocols: 5 }, /protocols/],
    [{ url, protocols: ['a', 5] }, /protocols/],
  ])('refuses %j', (bad, message) => {
    expect(() => new WebSocketIntegration(bad as never)).toThrow(ConfigurationError);
    expect(() => new WebSocketIntegration(bad as never)).toThrow(message);
  });

  it('take the options of ws in the positional form, deflate off unless asked for', async () => {
    await using server = await startServer(echo, { perMessageDeflate: true });
    await using plain = new WebSocketIntegration(server.url, { headers: { 'x-a': '1' }, origin: 'https://o.example' });
    await plain.connect();
    expect(plain.client?.extensions).toBe('');
    expect(server.requests[0]?.headers).toMatchObject({ 'x-a': '1', origin: 'https://o.example' });
    await using deflated = new WebSocketIntegration(new URL(server.url), { perMessageDeflate: true });
    await deflated.connect();
    expect(deflated.client?.extensions).toBe('permessage-deflate');
  });

  it('offer subprotocols', async () => {
    await using server = await startServer(undefined, {
      handleProtocols: (offered) => (offered.has('v2') ? 'v2' : false),
    });
    await using ws = new WebSocketIntegration({ url: server.url, protocols: ['v1', 'v2'] });
    await ws.connect();
    expect(ws.client?.protocol).toBe('v2');
    await using single = new WebSocketIntegration({ url: server.url, protocols: 'v1', reconnect: false });
    expect(await failure(single.connect())).toMatchObject({ code: 'CONNECTION' });
  });

  it('bound what the server may send', async () => {
    await using server = await startServer((socket) => socket.send('x'.repeat(2_000)));
    await using ws = new WebSocketIntegration({
      url: server.url,
      maxPayloadBytes: 1_000,
      reconnect: { ...soon, maxAttempts: 1 },
    });
    const [endings, errors] = [record<Disconnected>(ws, 'disconnected'), record<SaflaError>(ws, 'error')];
    await ws.connect();
    await until(() => ws.state === 'idle');
    expect(endings[0]).toMatchObject({ code: 1009, willReconnect: true });
    expect(errors[0]).toMatchObject({ code: 'PROTOCOL' });
  });

  it('end a connection whose server breaks the protocol, and do not go back to it', async () => {
    const server = createServer((socket: Socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (head) => {
        const key = /sec-websocket-key: (.+)\r\n/i.exec(String(head))?.[1] ?? '';
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
        socket.write(Buffer.from([0xf3, 0x7f, 0x00]));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ws = new WebSocketIntegration(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    const endings = record<Disconnected>(ws, 'disconnected');
    await ws.connect();
    await until(() => endings.length === 1);
    expect(endings[0]).toMatchObject({ code: 1002, willReconnect: false, error: { code: 'PROTOCOL' } });
    await ws.close();
    server.close();
  });

  it('refuse header values that could change the request', async () => {
    await using server = await startServer();
    for (const headers of [{ 'x-a': 'a\r\nx-b: b' }, { 'bad name': 'a' }, { host: 'evil' }]) {
      await using ws = new WebSocketIntegration({ url: server.url, headers: async () => headers, reconnect: false });
      expect(await failure(ws.connect())).toMatchObject({ code: 'VALIDATION' });
      expect(() => new WebSocketIntegration({ url: server.url, headers })).toThrow(ConfigurationError);
    }
    expect(server.connections).toHaveLength(0);
  });
});

describe('secrets', () => {
  it('of URL, token and headers are in no error, event, log, span or inspection', async () => {
    const canary = 'c4n4ry-0123456789abcdef';
    await using server = await startServer(undefined, { verifyClient: (_info, done) => done(false, 401, canary) });
    const logged: unknown[] = [];
    const log = (facts: object, message?: string): void => void logged.push(facts, message);
    const exporter = new InMemorySpanExporter();
    const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test');
    const seen: unknown[] = [];
    for (const address of [server.url, 'ws://127.0.0.1:9']) {
      const secretURL = new URL(address);
      secretURL.password = canary;
      secretURL.searchParams.set('token', canary);
      const ws = new WebSocketIntegration({
        url: secretURL,
        token: canary,
        headers: { 'x-api-key': canary },
        reconnect: { ...soon, maxAttempts: 1 },
        telemetry: { logger: { debug: log, info: log, warn: log, error: log }, tracer },
      });
      for (const event of ['error', 'reconnecting', 'maxReconnectAttemptsReached', 'dropped'] as const)
        ws.on(event, (...args) => seen.push(...args));
      void ws.send(1);
      seen.push(await failure(ws.connect()), await ws.health(), ws.stats(), ws, ws.name);
      await ws.close();
    }
    seen.push(
      failureOf(() => new WebSocketIntegration(`wss//${canary}`)),
      logged,
      exporter.getFinishedSpans(),
    );
    expect(logged.length).toBeGreaterThan(0);
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toContain('websocket connect');
    for (const thing of seen) {
      const text = inspect(thing, { depth: 8 }) + (SaflaError.is(thing) ? JSON.stringify(thing) + thing.stack : '');
      expect(text).not.toContain(canary);
    }
  });
});

describe('health and stats', () => {
  it('answer in every state and never reject', async () => {
    await using server = await startServer(echo);
    const ws = new WebSocketIntegration({ url: server.url, name: 'feed' });
    expect(await ws.health()).toMatchObject({ status: 'fail', output: 'not connected (idle)' });
    await ws.connect();
    expect(await ws.health()).toMatchObject({
      status: 'pass',
      latencyMs: expect.any(Number),
      details: { state: 'open' },
    });
    expect(await ws.health({ signal: AbortSignal.abort(new Error('no')) })).toMatchObject({
      status: 'fail',
      output: 'no',
    });
    await ws.send('hello');
    await until(() => ws.stats().received === 1);
    expect(ws.stats()).toEqual({
      state: 'open',
      failures: 0,
      connections: 1,
      sent: 1,
      received: 1,
      receivedBytes: 7,
      decodeErrors: 0,
      droppedOut: 0,
      droppedIn: 0,
      queued: { items: 0, bytes: 0 },
      bufferedBytes: 0,
      requests: 0,
      subscriptions: 0,
    });
    await ws.close();
    expect(await ws.health()).toMatchObject({ status: 'fail', output: 'not connected (closed)' });
    await using down = new WebSocketIntegration({ url, reconnect: false });
    await failure(down.connect());
    expect(await down.health()).toMatchObject({ status: 'fail', output: expect.stringContaining('ECONNREFUSED') });
  });
});

function failureOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
