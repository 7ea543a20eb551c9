import { WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { echo, startServer, until } from './support.js';

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
});
