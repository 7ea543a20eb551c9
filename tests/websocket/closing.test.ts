import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ClosedError, ConfigurationError } from '@safla/sdk/core';
import { FaultProxy } from '@safla/sdk/testing';
import { type Disconnected, WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { failure, record, startServer, until } from './support.js';

describe('close', () => {
  it.each([
    'idle',
    'connecting',
    'asking for the URL',
    'open',
    'frozen',
    'frozen with full buffers',
    'backoff',
  ] as const)('settles in time when %s, rejects what waits, and is idempotent', async (state) => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    const ws = new WebSocketIntegration({
      url: () => (state === 'asking for the URL' ? new Promise<string>(() => undefined) : proxy.url),
      heartbeat: false,
      reconnect: { baseDelayMs: 600_000, maxDelayMs: 600_000, random: () => 1 },
      backpressure: { highBytes: 1_000_000, lowBytes: 1_000 },
    });
    const waiting: Promise<unknown>[] = [];
    if (state === 'connecting') proxy.freeze();
    if (state === 'connecting' || state === 'asking for the URL') waiting.push(failure(ws.connect()));
    else if (state !== 'idle') await ws.connect();
    if (state === 'backoff') {
      proxy.cut();
      await until(() => ws.state === 'backoff');
      waiting.push(failure(ws.connect()));
    }
    if (state.startsWith('frozen')) proxy.freeze();
    if (state !== 'open') waiting.push(failure(ws.request({ a: 1 })));
    if (state === 'frozen with full buffers') {
      for (let i = 0; i < 8; i++) void ws.send('x'.repeat(1_000_000)).catch(() => undefined);
      waiting.push(failure(ws.send('last')));
    }
    const closing = ws.close({ timeoutMs: 300 });
    expect(ws.state).toBe('closing');
    expect(ws.close()).toBe(closing);
    const settled = await Promise.race([
      closing.then(() => 'in time'),
      new Promise((resolve) => setTimeout(resolve, 10_000)),
    ]);
    expect(settled).toBe('in time');
    expect(ws.state).toBe('closed');
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(ClosedError);
    expect(await failure(ws.connect())).toBeInstanceOf(ClosedError);
    expect(await failure(ws.send(1))).toBeInstanceOf(ClosedError);
    expect(await failure(ws.request({}))).toBeInstanceOf(ClosedError);
    expect(ws.stats()).toMatchObject({ requests: 0, queued: { items: 0 }, bufferedBytes: 0 });
  });

  it('settles when the server process is stopped', async () => {
    const child = fork(fileURLToPath(new URL('./fixtures/server.ts', import.meta.url)), {
      execArgv: ['--import', import.meta.resolve('tsx')],
    });
    try {
      const [port] = (await once(child, 'message')) as [number];
      const ws = new WebSocketIntegration(`ws://127.0.0.1:${port}`);
      await ws.connect();
      child.kill('SIGSTOP');
      const request = failure(ws.request({ a: 1 }));
      await ws.close({ timeoutMs: 200 });
      expect(ws.state).toBe('closed');
      expect(await request).toBeInstanceOf(ClosedError);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('says code and reason to the server, and tells disconnected once', async () => {
    let told: [number, string] | undefined;
    await using server = await startServer((socket) => {
      socket.on('close', (code, reason) => {
        told = [code, String(reason)];
      });
    });
    const ws = new WebSocketIntegration(server.url);
    const [endings, errors] = [record<Disconnected>(ws, 'disconnected'), record(ws, 'error')];
    await ws.connect();
    await ws.close({ code: 4000, reason: 'moving on' });
    await until(() => told !== undefined);
    expect(told).toEqual([4000, 'moving on']);
    expect(endings).toEqual([{ code: 4000, reason: 'moving on', willReconnect: false }]);
    expect(errors).toEqual([]);
  });

  it('sends what was handed over before', async () => {
    await using server = await startServer();
    const ws = new WebSocketIntegration(server.url);
    await ws.connect();
    for (let i = 0; i < 100; i++) ws.send(i);
    await ws.close();
    expect(server.received).toHaveLength(100);
  });

  it.each([
    { code: 1005 },
    { code: 999 },
    { code: '1000' },
    { reason: 'x'.repeat(124) },
    { reason: 'é'.repeat(62) },
    { timeoutMs: -1 },
    { tiemout: 1 },
  ])('refuses %j and closes nothing', async (options) => {
    await using ws = new WebSocketIntegration('ws://127.0.0.1:9');
    expect(() => ws.close(options as never)).toThrow(ConfigurationError);
    expect(ws.state).toBe('idle');
  });

  it('needs nobody to await it, and works by await using', async () => {
    await using server = await startServer();
    {
      await using ws = new WebSocketIntegration(server.url);
      await ws.connect();
    }
    await until(() => server.open() === 0);
  });

  it('a listener that throws or never settles keeps nothing from closing', async () => {
    await using server = await startServer();
    const ws = new WebSocketIntegration(server.url);
    ws.on('disconnected', () => {
      throw new Error('listener');
    });
    ws.on('connected', async () => new Promise<void>(() => undefined));
    const handlerErrors = record<{ listenerOf: string }>(ws, 'handlerError');
    await ws.connect();
    await ws.close();
    expect(handlerErrors).toMatchObject([{ listenerOf: 'disconnected' }]);
  });
});
