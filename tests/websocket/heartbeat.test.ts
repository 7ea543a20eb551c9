import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FaultProxy, ManualClock } from '@safla/sdk/testing';
import { type Disconnected, WebSocketIntegration } from '@safla/sdk/websocket';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/websocket/heartbeat.js';
import { echo, pause, record, startServer, until } from './support.js';

const stay = { baseDelayMs: 600_000, maxDelayMs: 600_000, random: () => 1 } as const;
/** How late timers run here, at worst, while it is looked at. */
function lateness(): Disposable & { worstMs(): number } {
  let worst = 0;
  let due = performance.now() + 5;
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - due);
    due = performance.now() + 5;
  }, 5);
  return {
    worstMs: () => Math.max(worst, performance.now() - due),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

const runs = process.env.SAFLA_SOAK ? 20 : 3;

describe('heartbeat', () => {
  it.each(Array.from({ length: runs }, (_, run) => run))(
    'declares a black-holed connection dead within interval plus timeout (run %i)',
    async (run) => {
      await using server = await startServer(echo);
      await using proxy = await FaultProxy.start({ target: server.url });
      const heartbeat = { intervalMs: 200, timeoutMs: 150 };
      await using ws = new WebSocketIntegration({ url: proxy.url, heartbeat, reconnect: stay });
      const endings = record<Disconnected>(ws, 'disconnected');
      await ws.connect();
      // Traffic up to the fault, which comes at any point of the cycle.
      for (let i = 0; i < run % 10; i++) {
        ws.send(i);
        await pause(37);
      }
      expect(endings).toEqual([]);
      using late = lateness();
      const frozenAt = performance.now();
      proxy.freeze({ direction: run % 2 === 0 ? 'both' : 'down' });
      await new Promise((resolve) => ws.once('disconnected', resolve));
      const tookMs = performance.now() - frozenAt;
      // Ping and check are two timers, each as late as this process runs its timers.
      expect(tookMs).toBeLessThanOrEqual(heartbeat.intervalMs + heartbeat.timeoutMs + 2 * late.worstMs() + 5);
      expect(endings[0]).toMatchObject({ code: 1006, willReconnect: true });
      expect(String(endings[0]?.error?.message)).toMatch(/sent nothing for 150 ms after a ping/);
    },
  );

  it('finds a server process that is stopped, and comes back when it goes on', async () => {
    const child = fork(fileURLToPath(new URL('./fixtures/server.ts', import.meta.url)), {
      execArgv: ['--import', import.meta.resolve('tsx')],
    });
    try {
      const [port] = (await once(child, 'message')) as [number];
      await using ws = new WebSocketIntegration({
        url: `ws://127.0.0.1:${port}`,
        heartbeat: { intervalMs: 100, timeoutMs: 100 },
        handshakeTimeoutMs: 200,
        reconnect: { baseDelayMs: 10, maxDelayMs: 20 },
      });
      await ws.connect();
      child.kill('SIGSTOP');
      await until(() => ws.state !== 'open');
      child.kill('SIGCONT');
      await until(() => ws.state === 'open');
      expect(ws.stats().connections).toBe(2);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('keeps a quiet connection whose server answers pings', async () => {
    await using server = await startServer();
    await using ws = new WebSocketIntegration({ url: server.url, heartbeat: { intervalMs: 20, timeoutMs: 2_000 } });
    let pings = 0;
    await ws.connect();
    server.latest().on('ping', () => pings++);
    await until(() => pings >= 5);
    expect(ws.state).toBe('open');
    expect(ws.stats().connections).toBe(1);
  });

  it('takes any frame for life, so a server that never pongs but talks stays', async () => {
    await using server = await startServer(
      (socket) => {
        const timer = setInterval(() => socket.send('1'), 20);
        socket.on('close', () => clearInterval(timer));
      },
      { autoPong: false },
    );
    await using ws = new WebSocketIntegration({ url: server.url, heartbeat: { intervalMs: 50, timeoutMs: 1_000 } });
    await ws.connect();
    await until(() => ws.stats().received > 50);
    expect(ws.stats().connections).toBe(1);
  });

  it('can be turned off', async () => {
    await using server = await startServer();
    const clock = new ManualClock();
    await using ws = new WebSocketIntegration({ url: server.url, heartbeat: false, clock });
    await ws.connect();
    await clock.advance(1e9);
    expect(ws.state).toBe('open');
  });

  it.each([
    [1_000, 200],
    [200, 1_000],
    [500, 500],
  ])(
    'is dead by interval %i ms plus timeout %i ms, wherever in the cycle the silence begins',
    async (intervalMs, timeoutMs) => {
      for (let lastSignAt = 0; lastSignAt <= 3_000; lastSignAt += 50) {
        const clock = new ManualClock();
        let deadAt: number | undefined;
        const heartbeat = new Heartbeat({
          intervalMs,
          timeoutMs,
          clock,
          // Every ping is answered at once, until the silence begins.
          ping: () => clock.now() <= lastSignAt && heartbeat.alive(),
          dead: () => {
            deadAt ??= clock.now();
          },
        });
        await clock.advance(lastSignAt + intervalMs + timeoutMs);
        heartbeat.stop();
        expect(clock.pending).toBe(0);
        expect(deadAt, `silence from ${lastSignAt}`).toBeGreaterThan(lastSignAt);
        expect(deadAt).toBeLessThanOrEqual(lastSignAt + intervalMs + timeoutMs);
      }
    },
  );

  it('forgives what a clock jump and a busy process would look like', async () => {
    await using server = await startServer();
    let offset = 0;
    const clock = {
      now: () => Date.now() + offset,
      schedule(fn: () => void, ms: number) {
        const timer = setTimeout(fn, ms);
        return () => clearTimeout(timer);
      },
    };
    await using ws = new WebSocketIntegration({ url: server.url, clock, heartbeat: { intervalMs: 30, timeoutMs: 30 } });
    await ws.connect();
    offset = 86_400_000;
    await pause(100);
    offset = -86_400_000;
    await pause(50);
    // The pong waits in the socket while nothing runs, longer than the timeout.
    for (let i = 0; i < 3; i++) {
      const until = performance.now() + 150;
      while (performance.now() < until);
      await pause(10);
    }
    expect(ws.stats()).toMatchObject({ state: 'open', connections: 1 });
  });
});
