import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, Server } from '@modelcontextprotocol/server';
import { ConfigurationError, withContext } from '@safla/sdk/core';
import { EventBusIntegration } from '@safla/sdk/events';
import { MCPServer, WebSocketMCPServer } from '@safla/sdk/mcp';
import { WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { failure, pause, startServer, until } from '../websocket/support.js';

/** Says 1, 2, 3 to everybody who connects. */
const counting = (socket: { send(text: string): void }): void => {
  for (const i of [1, 2, 3]) socket.send(String(i));
};

describe('WebSocketMCPServer', () => {
  it("works in the guide's form: a URL, start, stop", async () => {
    await using backend = await startServer(counting);
    const server = new WebSocketMCPServer(backend.url);
    await server.start();
    await until(() => server.stats().forwarded === 3);
    server.stop();
    await until(() => backend.open() === 0);
  });

  it('forwards to a function, one message after the other', async () => {
    await using backend = await startServer(counting);
    const steps: string[] = [];
    await using server = new WebSocketMCPServer(backend.url, {
      async forward(message) {
        steps.push(`begin ${message}`);
        await pause(5);
        steps.push(`end ${message}`);
      },
    });
    await server.start();
    await until(() => steps.length === 6);
    expect(steps).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  it('forwards to an event channel', async () => {
    await using backend = await startServer(counting);
    await using bus = new EventBusIntegration('memory:');
    const seen: unknown[] = [];
    bus.on('event', (event) => seen.push(event));
    await bus.subscribe(['ticks']);
    await using server = new WebSocketMCPServer(backend.url, { forward: bus, channel: 'ticks' });
    await server.start();
    await until(() => seen.length === 3);
    expect(seen).toEqual([1, 2, 3].map((event) => ({ channel: 'ticks', event })));
  });

  it('forwards to MCP clients as notifications', async () => {
    await using backend = await startServer(counting);
    const mcp = new Server({ name: 's', version: '1' }, { capabilities: { logging: {} } });
    const client = new Client({ name: 'c', version: '1' });
    const seen: unknown[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => void seen.push(params));
    const [near, far] = InMemoryTransport.createLinkedPair();
    await Promise.all([mcp.connect(near), client.connect(far)]);
    await using server = new WebSocketMCPServer(backend.url, { forward: mcp, channel: 'ticks' });
    await server.start();
    await until(() => seen.length === 3);
    expect(seen[0]).toEqual({ level: 'info', logger: 'ticks', data: 1 });
    await client.close();
  });

  it('holds the latest message as a resource of an MCPServer', async () => {
    await using backend = await startServer((socket) => {
      counting(socket);
      socket.send(Buffer.from([255]));
      socket.send('{"last":true}');
    });
    await using mcp = new MCPServer({ name: 's', version: '1' });
    await using server = new WebSocketMCPServer(backend.url, { forward: mcp, channel: 'ticks' });
    await server.start();
    await until(() => server.stats().forwarded === 5);
    await using client = await mcp.connectInMemory();
    expect(await client.readResource('websocket:ticks')).toMatchObject([
      { text: '{"last":true}', mimeType: 'application/json' },
    ]);
  });

  it('tells what a sink failed on, and goes on, also when it never settles', async () => {
    await using backend = await startServer(counting);
    const errors: unknown[][] = [];
    await using server = new WebSocketMCPServer(backend.url, {
      forwardTimeoutMs: 30,
      forward(message) {
        if (message === 1) throw new Error('sink');
        return message === 2 ? new Promise(() => undefined) : undefined;
      },
      onError(...args) {
        errors.push(args);
        throw new Error('in onError too');
      },
    });
    await server.start();
    await until(() => server.stats().forwarded === 1);
    expect(errors).toMatchObject([
      [{ message: 'sink' }, 1],
      [{ code: 'TIMEOUT' }, 2],
    ]);
    expect(server.stats()).toEqual({ forwarded: 1, failed: 2 });
  });

  it('leaves nothing running when start rejects, and can start again', async () => {
    let refuse = true;
    await using backend = await startServer(undefined, { verifyClient: (_info, done) => done(!refuse, 401) });
    const server = new WebSocketMCPServer(backend.url);
    const [first, second] = [failure(server.start({ timeoutMs: 50 })), failure(server.start())];
    expect(await first).toMatchObject({ code: 'TIMEOUT' });
    expect(await second).toBe(await first);
    refuse = false;
    await pause(100);
    expect(backend.connections).toHaveLength(0);
    await server.start();
    await server.start();
    expect(backend.connections).toHaveLength(1);
    await server.stop();
    await server.start();
    expect(backend.connections).toHaveLength(2);
    await server.close();
  });

  it('leaves a WebSocket that it was given to its owner', async () => {
    await using backend = await startServer();
    await using ws = new WebSocketIntegration(backend.url);
    const seen: unknown[] = [];
    const server = new WebSocketMCPServer(ws, { forward: (message) => seen.push(message) });
    await server.start();
    backend.latest().send('1');
    await until(() => seen.length === 1);
    await server.stop();
    expect(ws.state).toBe('open');
    backend.latest().send('2');
    await until(() => ws.stats().received === 2);
    expect(seen).toEqual([1]);
  });

  it('outlives the context in which it was started', async () => {
    await using backend = await startServer();
    const seen: unknown[] = [];
    await using server = new WebSocketMCPServer(backend.url, { forward: (message) => seen.push(message) });
    const abort = new AbortController();
    await withContext({ signal: abort.signal }, () => server.start());
    abort.abort();
    backend.latest().send('1');
    await until(() => seen.length === 1);
  });

  it('tells when the connection was given up', async () => {
    await using backend = await startServer((socket) => socket.close(1008));
    const errors: unknown[][] = [];
    await using server = new WebSocketMCPServer(backend.url, { onError: (...args) => errors.push(args) });
    await server.start();
    await until(() => errors.length === 1);
    expect(errors).toMatchObject([[{ name: 'DisconnectedError', closeCode: 1008 }]]);
    expect(errors[0]).toHaveLength(1);
  });

  it('stops while it starts', async () => {
    const server = new WebSocketMCPServer('ws://127.0.0.1:9');
    const starting = server.start().catch((error: unknown) => error);
    await server.stop();
    const outcome = await starting;
    if (outcome !== undefined) expect(outcome).toMatchObject({ code: 'CLOSED' });
  });

  it.each([
    ['http://h', {}, /scheme/],
    [{}, {}, /source\.connect/],
    [null, {}, /source/],
    ['ws://h', { forward: {} }, /forward must be/],
    ['ws://h', { chanel: 'x' }, /did you mean 'channel'/],
  ])('refuses %j with %j', (source, options, message) => {
    const make = (): unknown => new WebSocketMCPServer(source as never, options as never);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });
});
