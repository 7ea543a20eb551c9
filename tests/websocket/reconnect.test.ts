import type { CallOptions } from '@safla/sdk/core';
import { FaultProxy, ManualClock } from '@safla/sdk/testing';
import { type Disconnected, defaultClosePolicy, HandshakeError, WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it, vi } from 'vitest';
import { reconnectDelay } from '../../src/websocket/reconnect.js';
import { failure, record, startServer, until } from './support.js';

const soon = { baseDelayMs: 1, maxDelayMs: 5 } as const;

describe('reconnecting', () => {
  it('comes back after the connection was cut, and says each step', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    await using ws = new WebSocketIntegration({ url: proxy.url, reconnect: soon });
    const steps: string[] = [];
    ws.on('connected', ({ reconnected }) => steps.push(`connected ${reconnected}`));
    ws.on('error', () => steps.push(`error ${ws.state}`));
    ws.on('disconnected', ({ code, willReconnect }) => steps.push(`disconnected ${code} ${willReconnect}`));
    ws.on('reconnecting', ({ attempt }) => steps.push(`reconnecting ${attempt}`));
    await ws.connect();
    proxy.cut();
    await until(() => steps.at(-1) === 'connected true');
    expect(steps).toEqual([
      'connected false',
      'error backoff',
      'disconnected 1006 true',
      'reconnecting 1',
      'connected true',
    ]);
  });

  it('gives up after maxAttempts with maxReconnectAttemptsReached, and connect() starts anew', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    await using ws = new WebSocketIntegration({ url: proxy.url, reconnect: { ...soon, maxAttempts: 3 } });
    const [errors, gaveUp] = [
      record<Error>(ws, 'error'),
      record<{ attempts: number }>(ws, 'maxReconnectAttemptsReached'),
    ];
    await ws.connect();
    proxy.refuse();
    proxy.cut();
    await until(() => gaveUp.length === 1);
    // The broken connection, then three attempts.
    expect(errors).toHaveLength(4);
    expect(gaveUp[0]).toMatchObject({ attempts: 3, error: { code: 'CONNECTION', systemCode: 'ECONNREFUSED' } });
    expect(ws.state).toBe('idle');
    await proxy.heal();
    await ws.connect();
    expect(ws.state).toBe('open');
  });

  it('gives up after five attempts in the positional form, told as in the guide', async () => {
    // The shortest pauses that can be drawn.
    using _random = vi.spyOn(Math, 'random').mockReturnValue(0);
    await using ws = new WebSocketIntegration('ws://127.0.0.1:9');
    const [errors, gaveUp] = [record(ws, 'error'), record<object>(ws, 'maxReconnectAttemptsReached')];
    expect(await failure(ws.connect())).toMatchObject({ systemCode: 'ECONNREFUSED' });
    expect(errors).toHaveLength(6);
    expect(gaveUp).toMatchObject([{ attempts: 5 }]);
  });

  it.each([1000, 1002, 1003, 1007, 1008, 1010, 4400, 4401, 4499])('stays away after close code %i', async (code) => {
    await using server = await startServer((socket) => socket.close(code === 1010 ? 1000 : code, 'enough'));
    if (code === 1010) expect(defaultClosePolicy({ code, reason: '' })).toBe('stop');
    await using ws = new WebSocketIntegration({ url: server.url, reconnect: soon });
    const endings = record<Disconnected>(ws, 'disconnected');
    await ws.connect();
    await until(() => endings.length === 1);
    expect(endings[0]).toMatchObject({ reason: 'enough', willReconnect: false });
    expect(ws.state).toBe('idle');
    expect(server.connections).toHaveLength(1);
  });

  it.each([1001, 1011, 1012, 1013, 3000, 4000, 4399, 4500])('comes back after close code %i', async (code) => {
    let count = 0;
    await using server = await startServer((socket) => count++ === 0 && socket.close(code));
    await using ws = new WebSocketIntegration({ url: server.url, reconnect: soon });
    await ws.connect();
    await until(() => server.connections.length === 2 && ws.state === 'open');
  });

  it('asks a close policy of your own, and uses the usual one when it throws', async () => {
    const asked: number[] = [];
    await using server = await startServer((socket) => socket.close(4401));
    await using ws = new WebSocketIntegration({
      url: server.url,
      reconnect: soon,
      closePolicy({ code }) {
        asked.push(code);
        if (asked.length === 3) throw new Error('policy');
        return 'retry';
      },
    });
    const handlerErrors = record<{ listenerOf: string }>(ws, 'handlerError');
    await ws.connect();
    await until(() => ws.state === 'idle');
    expect(asked).toEqual([4401, 4401, 4401]);
    expect(handlerErrors).toMatchObject([{ listenerOf: 'closePolicy', error: { message: 'policy' } }]);
  });

  it('makes one attempt with reconnect: false', async () => {
    await using server = await startServer(undefined, { verifyClient: (_info, done) => done(false, 503) });
    await using ws = new WebSocketIntegration({ url: server.url, reconnect: false });
    const gaveUp = record(ws, 'maxReconnectAttemptsReached');
    const error = await failure(ws.connect());
    expect(error).toBeInstanceOf(HandshakeError);
    expect(error).toMatchObject({ status: 503, retryable: true });
    expect(gaveUp).toEqual([]);
  });

  it('asks for URL, headers and token anew at each attempt', async () => {
    let generation = 0;
    await using server = await startServer(undefined, {
      verifyClient: ({ req }, done) => done(req.headers.authorization === 'Bearer t3', 401),
    });
    const signals: (AbortSignal | undefined)[] = [];
    await using ws = new WebSocketIntegration({
      url: async ({ signal }: CallOptions) => {
        signals.push(signal);
        return `${server.url}/v${++generation}`;
      },
      headers: () => ({ 'x-generation': String(generation), 'x-absent': undefined }),
      token: async () => `t${generation}`,
      reconnect: soon,
    });
    const errors = record<HandshakeError>(ws, 'error');
    await ws.connect();
    expect(errors.map(({ status }) => status)).toEqual([401, 401]);
    expect(server.requests.map(({ url, headers }) => [url, headers['x-generation']])).toEqual([['/v3', '3']]);
    expect(signals.every((signal) => signal instanceof AbortSignal)).toBe(true);
  });

  it('tries again when a function for the address fails, and keeps what it threw out of the message', async () => {
    let calls = 0;
    await using server = await startServer();
    await using ws = new WebSocketIntegration({
      url: () => {
        calls += 1;
        if (calls === 1) throw new Error('vault said: token=hunter2abc');
        return calls === 2 ? 'ftp://wrong' : server.url;
      },
      reconnect: soon,
    });
    const errors = record<Error>(ws, 'error');
    await ws.connect();
    expect(errors.map((error) => (error as { code?: string }).code)).toEqual(['CONNECTION', 'CONFIGURATION']);
    expect(errors[0]?.message).not.toContain('hunter2abc');
  });

  it.each([undefined, '', 'two\r\nlines', 5])(
    'does not connect without a token when the function gives %j',
    async (token) => {
      await using server = await startServer();
      await using ws = new WebSocketIntegration({ url: server.url, token: () => token as never, reconnect: false });
      expect(await failure(ws.connect())).toMatchObject({ code: expect.stringMatching(/CONFIGURATION|VALIDATION/) });
      expect(server.connections).toHaveLength(0);
    },
  );

  it.each(['url', 'server'])('an attempt ends with its time when the %s never answers', async (silent) => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    proxy.freeze();
    await using ws = new WebSocketIntegration({
      url: () => (silent === 'url' ? new Promise<string>(() => undefined) : proxy.url),
      handshakeTimeoutMs: 50,
      reconnect: { ...soon, maxAttempts: 1 },
    });
    const errors = record<Error>(ws, 'error');
    expect(await failure(ws.connect())).toMatchObject({ code: 'TIMEOUT', timeoutMs: 50 });
    expect(errors).toHaveLength(2);
  });

  it('a connect() that is aborted or out of time stops what it began, not what others wait for', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    proxy.freeze();
    await using ws = new WebSocketIntegration({ url: proxy.url });
    const abort = new AbortController();
    const [first, second] = [failure(ws.connect({ signal: abort.signal })), failure(ws.connect({ timeoutMs: 300 }))];
    abort.abort(new Error('no longer'));
    expect(await first).toMatchObject({ message: 'no longer' });
    expect(ws.state).toBe('connecting');
    expect(await second).toMatchObject({ code: 'TIMEOUT' });
    expect(ws.state).toBe('idle');
  });

  it('a connect() that is out of time says what kept failing', async () => {
    await using server = await startServer(undefined, { verifyClient: (_info, done) => done(false, 401) });
    await using ws = new WebSocketIntegration({ url: server.url, reconnect: soon });
    const error = await failure(ws.connect({ timeoutMs: 150 }));
    expect(error).toMatchObject({ code: 'TIMEOUT', timeoutMs: 150, cause: { status: 401 } });
    expect(String(error)).toMatch(/last attempt: .* refused the WebSocket handshake with status 401/);
  });

  it('an aborted connect() leaves a connection alone that is coming back', async () => {
    await using server = await startServer();
    await using proxy = await FaultProxy.start({ target: server.url });
    const clock = new ManualClock();
    await using ws = new WebSocketIntegration({
      url: proxy.url,
      clock,
      heartbeat: false,
      reconnect: { random: () => 1 },
    });
    await ws.connect();
    proxy.cut();
    await until(() => ws.state === 'backoff');
    expect(await failure(ws.connect({ timeoutMs: 20 }))).toMatchObject({ code: 'TIMEOUT' });
    expect(ws.state).toBe('backoff');
    await clock.advance(1_000);
    await until(() => ws.state === 'open');
  });

  it('counts anew only after a connection that held', async () => {
    await using server = await startServer();
    const clock = new ManualClock();
    const delays: number[] = [];
    await using ws = new WebSocketIntegration({
      url: server.url,
      clock,
      heartbeat: false,
      reconnect: { baseDelayMs: 100, random: () => 1, stableMs: 5_000 },
    });
    ws.on('reconnecting', ({ delayMs }) => delays.push(delayMs));
    await ws.connect();
    for (const heldMs of [0, 4_999, 5_000, 0]) {
      await clock.advance(heldMs);
      server.latest().terminate();
      await until(() => ws.state === 'backoff');
      await clock.advance(delays.at(-1) ?? 0);
      await until(() => ws.state === 'open');
    }
    expect(delays).toEqual([100, 200, 100, 200]);
    await ws.close();
    expect(clock.pending).toBe(0);
  });

  it('draws delays from 0 to an end that doubles up to the cap, however many attempts there were', () => {
    const delay = (attempt: number, random: number): number | undefined =>
      reconnectDelay({ random: () => random }, attempt);
    expect([1, 2, 3, 6, 10_000].map((attempt) => delay(attempt, 1))).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
    expect([1, 2_000].map((attempt) => delay(attempt, 0))).toEqual([0, 0]);
  });

  it('spreads 1,000 clients that are dropped at once: the busiest 100 ms have at most 3 times the mean', () => {
    let state = 20_260_102;
    const random = (): number => {
      // A linear congruential generator (Numerical Recipes), so that the run repeats.
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const bins = new Map<number, number>();
    for (let client = 0; client < 1_000; client++) {
      const bin = Math.floor((reconnectDelay({ random }, 1) ?? 0) / 100);
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
    expect(Math.max(...bins.values()) / (1_000 / 10)).toBeLessThanOrEqual(1.5);
  });

  it('a listener may close or connect from inside of any event', async () => {
    for (const event of ['error', 'disconnected', 'reconnecting', 'connected'] as const) {
      await using server = await startServer();
      await using proxy = await FaultProxy.start({ target: server.url });
      const ws = new WebSocketIntegration({ url: proxy.url, reconnect: soon });
      ws.once(event, () => void ws.close());
      await ws.connect().catch(() => undefined);
      if (event !== 'connected') proxy.cut();
      await until(() => ws.state === 'closed');
      await ws.close();
    }
    const policed: WebSocketIntegration = new WebSocketIntegration({
      url: 'ws://127.0.0.1:9',
      closePolicy() {
        void policed.close();
        return 'retry';
      },
    });
    await failure(policed.connect());
    await policed.close();
    expect(policed.state).toBe('closed');
    let refuse = true;
    await using server = await startServer((socket) => refuse && socket.close(1008));
    await using ws = new WebSocketIntegration(server.url);
    ws.once('disconnected', () => {
      refuse = false;
      void ws.connect();
    });
    await ws.connect();
    await until(() => server.connections.length === 2 && ws.state === 'open');
  });
});
