import { ClosedError, QueueFullError, withContext } from '@safla/sdk/core';
import { FaultProxy } from '@safla/sdk/testing';
import { type Dropped, type MessageBufferOptions, WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { failure, record, startServer, until } from './support.js';

const soon = { baseDelayMs: 1, maxDelayMs: 5 } as const;

/** Lets 8 messages come while nobody takes any, then takes all there are. */
async function overflow(buffer: MessageBufferOptions): Promise<{ taken: unknown[]; dropped: number; error?: unknown }> {
  await using server = await startServer();
  const ws = new WebSocketIntegration({ url: server.url, buffer });
  const dropped = record<Dropped>(ws, 'dropped');
  await ws.connect();
  const messages = ws.messages();
  for (let i = 0; i < 8; i++) server.latest().send(String(i));
  await until(() => ws.stats().received === 8);
  await ws.close();
  const taken: unknown[] = [];
  try {
    for await (const message of messages) taken.push(message);
  } catch (error) {
    return { taken, dropped: dropped.length, error };
  }
  expect(dropped.every(({ direction }) => direction === 'in')).toBe(true);
  return { taken, dropped: dropped.length };
}

describe('for await', () => {
  it('goes on through reconnections and ends with close', async () => {
    let next = 0;
    await using server = await startServer((socket) => {
      socket.send(String(next++));
      socket.send(String(next++));
    });
    await using proxy = await FaultProxy.start({ target: server.url });
    const ws = new WebSocketIntegration({ url: proxy.url, reconnect: soon });
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const message of ws) {
        seen.push(message);
        if (seen.length === 2 || seen.length === 4) proxy.cut();
        if (seen.length === 6) void ws.close();
      }
    })();
    await ws.connect();
    await loop;
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('gives every loop all messages, and takes back what break leaves', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration(server.url);
    await ws.connect();
    const take = async (count: number): Promise<unknown[]> => {
      const seen: unknown[] = [];
      for await (const message of ws) if (seen.push(message) === count) break;
      return seen;
    };
    const loops = [take(1), take(3)];
    for (const i of [1, 2, 3]) server.latest().send(String(i));
    expect(await Promise.all(loops)).toEqual([[1], [1, 2, 3]]);
  });

  it.each([
    ['drop-oldest', [5, 6, 7]],
    ['drop-newest', [0, 1, 2]],
  ] as const)('with %s a slow loop gets %j of 8, and each message that is skipped is told', async (policy, kept) => {
    expect(await overflow({ maxItems: 3, overflow: policy })).toEqual({ taken: kept, dropped: 5 });
    expect((await overflow({ maxBytes: 3, overflow: policy })).taken).toEqual(kept);
  });

  it('with reject a slow loop gets what was in time, then QueueFullError', async () => {
    const { taken, error } = await overflow({ maxItems: 3, overflow: 'reject' });
    expect(taken).toEqual([0, 1, 2]);
    expect(error).toBeInstanceOf(QueueFullError);
  });

  it('throws when the connection is given up', async () => {
    await using server = await startServer((socket) => socket.close(1008, 'go away'));
    await using ws = new WebSocketIntegration(server.url);
    const next = failure(ws.messages().next());
    await ws.connect();
    expect(await next).toMatchObject({ name: 'DisconnectedError', closeCode: 1008 });
  });

  it('ends when the server is done, with all that it sent', async () => {
    await using server = await startServer((socket) => {
      for (const n of [1, 2, 3]) socket.send(String(n));
      socket.close(1000);
    });
    await using ws = new WebSocketIntegration(server.url);
    const taken: unknown[] = [];
    const loop = (async () => {
      for await (const message of ws) taken.push(message);
    })();
    await ws.connect();
    await loop;
    expect(taken).toEqual([1, 2, 3]);
  });

  it('ends with its signal, its time or the surrounding context', async () => {
    await using ws = new WebSocketIntegration('ws://127.0.0.1:9');
    const reason = new Error('enough');
    const abort = new AbortController();
    const waiting = failure(ws.messages({ signal: abort.signal }).next());
    abort.abort(reason);
    expect(await waiting).toBe(reason);
    expect(await failure(ws.messages({ signal: abort.signal }).next())).toBe(reason);
    expect(await failure(ws.messages({ timeoutMs: 10 }).next())).toMatchObject({ code: 'TIMEOUT' });
    expect(await failure(withContext({ timeoutMs: 10 }, () => ws.messages().next()))).toMatchObject({
      code: 'TIMEOUT',
    });
    await ws.close();
    expect(() => ws.messages()).toThrow(ClosedError);
  });
});
