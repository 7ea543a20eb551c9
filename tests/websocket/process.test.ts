import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { certificate } from './fixtures/certificate.js';
import { failure, pause, startServer, until } from './support.js';

/** Runs a program of fixtures/ and collects what it prints. */
function start(name: string, env: Record<string, string>): { child: ChildProcess; out: () => string } {
  const file = fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk));
  return { child, out: () => text };
}

it('says that a server speaks no TLS without the words of OpenSSL', async () => {
  await using server = await startServer();
  await using ws = new WebSocketIntegration({ url: server.url.replace('ws:', 'wss:'), reconnect: false });
  const error = await failure(ws.connect());
  expect(error).toMatchObject({ code: 'CONNECTION', systemCode: 'EPROTO' });
  expect(String(error)).toMatch(/speaks no TLS, or another version of it \(EPROTO\)$/);
});

describe('the process', () => {
  it('is not held by the pause before an attempt that nobody waits for', async () => {
    const server = await startServer();
    const { child, out } = start('waits.ts', { PORT: String(server.port), MODE: 'nobody' });
    const ended = once(child, 'close');
    await until(() => out() === 'open\n');
    await server[Symbol.asyncDispose]();
    expect(await ended).toEqual([0, null]);
  });

  it('lives on through an outage when somebody listens for messages', async () => {
    const server = await startServer();
    const { child, out } = start('waits.ts', { PORT: String(server.port), MODE: 'listener' });
    const ended = once(child, 'close');
    await until(() => out() === 'open\n');
    await server[Symbol.asyncDispose]();
    await pause(100);
    await using _again = await startServer((socket) => socket.send('"back"'), {}, server.port);
    expect(await ended).toEqual([0, null]);
    expect(out()).toBe('open\nback\n');
  });

  it('loads ws with the first connection, not before', async () => {
    const { child, out } = start('loads.ts', {});
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(out()).toBe('after import: 0\nafter construction: 0\nafter connect: 1\n');
  });
});

describe('TLS', () => {
  it('works as without, heartbeat included, for a certificate that is trusted', async () => {
    const https = createServer(certificate);
    const server = new WebSocketServer({ server: https });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data, { binary: false })));
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
    const url = `wss://127.0.0.1:${(https.address() as AddressInfo).port}`;
    try {
      await using trusting = new WebSocketIntegration({
        url,
        ws: { ca: certificate.cert },
        heartbeat: { intervalMs: 20, timeoutMs: 2_000 },
      });
      await trusting.connect();
      expect(await trusting.request({ a: 1 })).toMatchObject({ a: 1 });
      await pause(150);
      expect(trusting.stats()).toMatchObject({ state: 'open', connections: 1 });
      await using strict = new WebSocketIntegration({ url, reconnect: false });
      expect(await failure(strict.connect())).toMatchObject({
        code: 'CONNECTION',
        systemCode: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      });
    } finally {
      for (const client of server.clients) client.terminate();
      https.close();
    }
  });
});
