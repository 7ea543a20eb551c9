import { ClosedError, ConfigurationError } from '@safla/sdk/core';
import { FaultProxy } from '@safla/sdk/testing';
import { WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { record, startServer, until } from './support.js';

const soon = { baseDelayMs: 1, maxDelayMs: 5 } as const;

describe('subscribe', () => {
  it('opens on each connection, in order and ahead of the queue', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    await using ws = new WebSocketIntegration({ url: proxy.url, reconnect: soon });
    ws.send('queued');
    ws.subscribe('login', { open: 'login' });
    ws.subscribe('btc', { open: { on: 'btc' }, close: { off: 'btc' } });
    await ws.connect();
    await until(() => server.received.length === 3);
    proxy.cut();
    await until(() => server.received.length === 5);
    expect(server.received).toEqual(['"login"', '{"on":"btc"}', '"queued"', '"login"', '{"on":"btc"}']);
  });

  it('asks a function for the message each time, to go on where it stopped', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    await using ws = new WebSocketIntegration({ url: proxy.url, reconnect: soon });
    let after = 0;
    await ws.connect();
    ws.subscribe('log', { open: () => ({ after: after++ }) });
    await until(() => server.received.length === 1);
    proxy.cut();
    await until(() => server.received.length === 2);
    expect(server.received).toEqual(['{"after":0}', '{"after":1}']);
  });

  it('counts subscribers of one key; the last one to leave says so to the server, once', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration(server.url);
    await ws.connect();
    const [first, second] = ['on', 'other'].map((open) => ws.subscribe('a', { open, close: 'off' }));
    first?.close();
    first?.close();
    expect(ws.stats().subscriptions).toBe(1);
    second?.close();
    ws.send('end');
    await until(() => server.received.length === 3);
    expect(server.received).toEqual(['"on"', '"off"', '"end"']);
  });

  it('that was closed while there was no connection is not opened again', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration(server.url);
    {
      using _gone = ws.subscribe('gone', { open: 'gone', close: 'bye' });
      ws.subscribe('stays', { open: 'stays' });
    }
    await ws.connect();
    await until(() => server.received.length === 1);
    expect(server.received).toEqual(['"stays"']);
  });

  it('reports a message that cannot be made, and opens the others', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration(server.url);
    const handlerErrors = record<{ listenerOf: string }>(ws, 'handlerError');
    ws.subscribe('bad', {
      open: () => {
        throw new Error('no cursor');
      },
    });
    ws.subscribe('good', { open: 'good' });
    await ws.connect();
    await until(() => server.received.length === 1);
    expect(handlerErrors).toMatchObject([{ listenerOf: "subscription 'bad'", error: { message: 'no cursor' } }]);
  });

  it('refuses wrong use, and everything after close', async () => {
    const ws = new WebSocketIntegration('ws://127.0.0.1:9');
    expect(() => ws.subscribe('', { open: 1 })).toThrow(ConfigurationError);
    expect(() => ws.subscribe('a', { open: undefined })).toThrow(/subscribe\.open must be/);
    expect(() => ws.subscribe('a', { opne: 1 } as never)).toThrow(/did you mean 'open'/);
    await ws.close();
    expect(() => ws.subscribe('a', { open: 1 })).toThrow(ClosedError);
  });
});
