import { ClosedError, QueueFullError, ValidationError, withContext } from '@safla/sdk/core';
import { FaultProxy } from '@safla/sdk/testing';
import { type Dropped, rawCodec, type SendQueueOptions, WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { failure, pause, record, startServer, until } from './support.js';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const soon = { baseDelayMs: 1, maxDelayMs: 5 } as const;

/** Sends 0 to count - 1 before connecting, connects, and gives what arrived and what each send came to. */
async function overflow(
  queue: SendQueueOptions,
  count: number,
): Promise<{ arrived: number[]; lost: number[]; dropped: Dropped[] }> {
  await using server = await startServer();
  await using ws = new WebSocketIntegration({ url: server.url, queue });
  const dropped = record<Dropped>(ws, 'dropped');
  const sends = range(count).map((i) => ws.send(i));
  await ws.connect();
  const outcomes = await Promise.allSettled(sends);
  await until(() => server.received.length === outcomes.filter(({ status }) => status === 'fulfilled').length);
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(QueueFullError);
  return {
    arrived: server.received.map(Number),
    lost: range(count).filter((i) => outcomes[i]?.status === 'rejected'),
    dropped,
  };
}

describe('sending', () => {
  it.each([
    ['reject', [0, 1, 2]],
    ['drop-newest', [0, 1, 2]],
    ['drop-oldest', [5, 6, 7]],
    ['wait', [0, 1, 2, 3, 4, 5, 6, 7]],
  ] as const)('with the policy %s a queue of 3 keeps %j of 8', async (policy, kept) => {
    const { arrived, lost, dropped } = await overflow({ maxItems: 3, overflow: policy }, 8);
    expect(arrived).toEqual(kept);
    expect(lost).toEqual(range(8).filter((i) => !kept.some((k) => k === i)));
    expect(dropped.map(({ direction, data }) => `${direction} ${data}`)).toEqual(lost.map((i) => `out ${i}`));
  });

  it('counts bytes as well as items, and refuses what alone is too big for the queue', async () => {
    await using ws = new WebSocketIntegration({
      url: 'ws://127.0.0.1:9',
      codec: rawCodec,
      queue: { maxBytes: 10, overflow: 'wait' },
    });
    void ws.send('äöü');
    void ws.send('1234');
    expect(ws.stats().queued).toEqual({ items: 2, bytes: 10 });
    expect(await failure(ws.send('12345678901'))).toBeInstanceOf(QueueFullError);
    void ws.send('5');
    expect(ws.stats().queued).toEqual({ items: 3, bytes: 10 });
  });

  it('limits those who wait for room, too', async () => {
    await using ws = new WebSocketIntegration({
      url: 'ws://127.0.0.1:9',
      queue: { maxItems: 1, overflow: 'wait', maxWaiting: 2 },
    });
    for (const i of range(3)) void ws.send(i);
    expect(await failure(ws.send(3))).toBeInstanceOf(QueueFullError);
  });

  it('stays within its bounds under 100,000 messages that nobody takes, each refusal told', async () => {
    await using ws = new WebSocketIntegration({
      url: 'ws://127.0.0.1:9',
      queue: { maxBytes: 100_000, maxItems: 100_000 },
    });
    let told = 0;
    ws.on('dropped', () => told++);
    for (const i of range(100_000)) void ws.send({ i, text: 'x'.repeat(80) });
    await pause(0);
    const { queued, droppedOut } = ws.stats();
    expect(queued.bytes).toBeLessThanOrEqual(100_000);
    expect(queued.items + droppedOut).toBe(100_000);
    expect(told).toBe(droppedOut);
  });

  it('keeps the order over cuts, from before the first connection to after the last', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    await using ws = new WebSocketIntegration({ url: proxy.url, reconnect: soon });
    ws.send(0);
    await ws.connect();
    for (let i = 1; i <= 400; i++) {
      ws.send(i);
      if (i % 80 === 40) proxy.cut();
      if (i % 10 === 0) await pause(1);
    }
    await until(() => server.received.at(-1) === '400');
    const arrived = server.received.map(Number);
    // At most once: what was on the way into a cut may be missing, nothing is twice or out of place.
    expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
    expect(arrived.length).toBeGreaterThan(200);
  });

  it('makes senders wait who are faster than the connection, and lets them go on when it drained', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    await using ws = new WebSocketIntegration({
      url: proxy.url,
      codec: rawCodec,
      heartbeat: false,
      backpressure: { highBytes: 200_000, lowBytes: 50_000 },
    });
    await ws.connect();
    proxy.freeze();
    const chunk = Buffer.alloc(50_000, 1);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 200; sent++) await ws.send(chunk);
    })();
    await until(() => ws.stats().queued.items === 1);
    await pause(50);
    const stuckAt = sent;
    expect(stuckAt).toBeLessThan(200);
    expect(ws.stats().bufferedBytes).toBeLessThan(300_000);
    proxy.thaw();
    await sending;
    await until(() => server.received.length === 200);
    expect(ws.stats()).toMatchObject({ sent: 200, droppedOut: 0 });
  });

  it('never stalls on the edges of its marks, whatever the characters', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration({
      url: server.url,
      codec: rawCodec,
      backpressure: { lowBytes: 3_000, highBytes: 3_001 },
    });
    await ws.connect();
    for (const text of ['x'.repeat(2_999), 'x'.repeat(3_000), '€'.repeat(1_500), 'é'.repeat(2_990), 'x']) {
      await Promise.all([ws.send(text), ws.send(text), ws.send(Buffer.from(text))]);
    }
    await until(() => server.received.length === 15);
  });

  it('gives the place of an aborted message back at once', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration({ url: server.url, queue: { maxItems: 1, overflow: 'wait' } });
    const abort = new AbortController();
    const [first, second] = [ws.send(1, { signal: abort.signal }), ws.send(2)];
    const reason = new Error('changed my mind');
    abort.abort(reason);
    expect(await failure(first)).toBe(reason);
    expect(await failure(ws.send(3, { timeoutMs: 10 }))).toMatchObject({ code: 'TIMEOUT' });
    await ws.connect();
    await second;
    await until(() => server.received.length === 1);
    expect(server.received).toEqual(['2']);
    await expect(ws.send(4, { signal: abort.signal })).rejects.toBe(reason);
  });

  it('obeys the surrounding context', async () => {
    await using ws = new WebSocketIntegration('ws://127.0.0.1:9');
    expect(await failure(withContext({ timeoutMs: 20 }, () => ws.send(1)))).toMatchObject({ code: 'TIMEOUT' });
    expect(ws.stats().queued.items).toBe(0);
  });

  it('is not cancelled by the context in which connect() was called', async () => {
    await using server = await startServer((socket) => {
      socket.on('message', (data) => socket.send(data, { binary: false }));
    });
    await using ws = new WebSocketIntegration(server.url);
    const abort = new AbortController();
    const outcomes: unknown[] = [];
    ws.on('message', (message) => {
      if (message === 1)
        ws.send(2).then(
          () => outcomes.push('sent'),
          (error) => outcomes.push(error),
        );
    });
    await withContext({ signal: abort.signal }, () => ws.connect());
    abort.abort();
    ws.send(1);
    await until(() => server.received.length === 2);
    expect(outcomes).toEqual(['sent']);
  });

  it('takes what it sends at once: later changes to the object do not count', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration(server.url);
    const message = { value: 'first' };
    void ws.send(message);
    message.value = 'second';
    await ws.connect();
    await until(() => server.received.length === 1);
    expect(server.received).toEqual(['{"value":"first"}']);
  });

  it('refuses what JSON cannot carry and what is too long, with reason, and goes on', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration({ url: server.url, maxPayloadBytes: 20 });
    const dropped = record<Dropped>(ws, 'dropped');
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    await ws.connect();
    for (const bad of [
      undefined,
      () => 1,
      10n,
      Number.NaN,
      cyclic,
      new Map(),
      new Array(2),
      'x'.repeat(19),
      'é'.repeat(10),
    ]) {
      expect(await failure(ws.send(bad))).toBeInstanceOf(ValidationError);
    }
    await ws.send('x'.repeat(18));
    await until(() => server.received.length === 1);
    expect(dropped).toHaveLength(9);
  });

  it('sends bytes as a binary frame', async () => {
    let binary: boolean | undefined;
    await using server = await startServer((socket) => {
      socket.on('message', (_data, isBinary) => {
        binary = isBinary;
      });
    });
    await using ws = new WebSocketIntegration(server.url);
    await ws.connect();
    ws.send(new Uint8Array([1, 2, 3]));
    await until(() => binary !== undefined);
    expect(binary).toBe(true);
    expect(server.received).toEqual(['\u0001\u0002\u0003']);
  });

  it('rejects what still waits when it gives up or is closed; nobody needs to listen', async () => {
    const ws = new WebSocketIntegration({ url: 'ws://127.0.0.1:9', reconnect: { ...soon, maxAttempts: 1 } });
    const dropped = record<Dropped>(ws, 'dropped');
    const first = ws.send(1);
    const connecting = failure(ws.connect());
    expect(await failure(first)).toMatchObject({ code: 'CONNECTION' });
    await connecting;
    void ws.send(2);
    const closing = ws.close();
    expect(ws.state).toBe('closing');
    expect(await failure(ws.send(3))).toBeInstanceOf(ClosedError);
    await closing;
    expect(dropped.map(({ error }) => (error as { code: string }).code)).toEqual(['CONNECTION', 'CLOSED', 'CLOSED']);
  });
});
