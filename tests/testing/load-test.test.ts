import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigurationError, SaflaError, TimeoutError } from '@safla/sdk/core';
import { LatencyHistogram, loadTest } from '@safla/sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('LatencyHistogram', () => {
  it('gives each percentile within 0.1 % of the exact one, or half a microsecond', () => {
    const times = fc.array(fc.double({ min: 0, max: 60_000_000, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 100, noNaN: true }), (values, percent) => {
        const histogram = new LatencyHistogram();
        for (const value of values) histogram.record(value);
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] ?? 0;
        expect(Math.abs(histogram.percentile(percent) - exact)).toBeLessThanOrEqual(exact * 0.001 + 0.0006);
        expect(histogram.maxMs).toBe(sorted.at(-1));
        expect(histogram.minMs).toBe(sorted[0]);
        expect(histogram.percentile(100)).toBe(histogram.maxMs);
      }),
    );
  });

  it('adds up as if one had counted all', () => {
    const times = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(times, times, (first, second) => {
        const [one, two, both] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
        for (const value of first) one.record(value);
        for (const value of second) two.record(value);
        for (const value of [...first, ...second]) both.record(value);
        one.add(two);
        for (const at of [0, 50, 99, 100]) expect(one.percentile(at)).toBe(both.percentile(at));
        expect([one.count, one.minMs, one.maxMs]).toEqual([both.count, both.minMs, both.maxMs]);
      }),
    );
  });

  it('is empty at first, takes values beyond its range as the nearest, and refuses NaN', () => {
    const histogram = new LatencyHistogram();
    expect([histogram.count, histogram.meanMs, histogram.minMs, histogram.maxMs, histogram.percentile(99)]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    histogram.record(-1);
    histogram.record(1e12);
    expect([histogram.count, histogram.minMs, histogram.maxMs]).toEqual([2, 0, 1e12]);
    expect(() => histogram.record(Number.NaN)).toThrow(ConfigurationError);
    expect(() => histogram.percentile(101)).toThrow(ConfigurationError);
  });
});

describe('loadTest', () => {
  it('makes as many calls as the rate says, and counts what became of them', async () => {
    const result = await loadTest(
      ({ index }) => {
        if (index % 10 === 0) throw new TypeError('no');
        if (index % 10 === 1) throw new TimeoutError('call', 1);
      },
      { rate: 500, durationMs: 400 },
    );
    expect(result).toMatchObject({
      model: 'open',
      due: 200,
      succeeded: 160,
      failed: 40,
      unfinished: 0,
      errorRate: 0.2,
    });
    expect(result.errors).toEqual({ TypeError: 20, 'TimeoutError (TIMEOUT)': 20 });
    expect(result.histogram.count).toBe(200);
    expect(result.throughputPerSecond).toBeCloseTo((160 * 1000) / result.elapsedMs, 6);
  });

  it('shows a stall in every call that it delayed, which waiting callers hide', async () => {
    // One server that does one thing at a time, and stands still once for 400 ms.
    let line: Promise<void> = Promise.resolve();
    let stalled = false;
    const call = (): Promise<void> => {
      line = line.then(async () => {
        if (stalled) return;
        stalled = true;
        await sleep(400);
      });
      return line;
    };
    const open = await loadTest(call, { rate: 200, durationMs: 1_000 });
    stalled = false;
    const closed = await loadTest(call, { concurrency: 1, durationMs: 1_000 });
    // 80 of the 200 that were due fell into the stall: the median of those waited about 200 ms.
    expect(open.latency.p90Ms).toBeGreaterThan(150);
    expect(open.due).toBe(200);
    expect(closed.model).toBe('closed');
    expect(closed.latency.maxMs).toBeGreaterThan(390);
    expect(closed.latency.p90Ms).toBeLessThan(100);
  });

  it('counts the time for which a call could not start for want of room', async () => {
    const result = await loadTest(() => sleep(50), { rate: 100, durationMs: 500, maxInFlight: 1 });
    expect(result).toMatchObject({ due: 50, succeeded: 50 });
    // 50 calls of 50 ms one after the other: the last one starts 2 s late.
    expect(result.latency.maxMs).toBeGreaterThan(1_900);
    expect(result.lateness.maxMs).toBeGreaterThan(1_800);
  });

  it('gives up on what does not end, and counts it as an error', async () => {
    const reasons: unknown[] = [];
    const result = await loadTest(
      ({ index, signal }) =>
        index % 2 === 0
          ? undefined
          : new Promise((_, reject) => {
              signal.addEventListener('abort', () => reject(reasons.push(signal.reason)));
            }),
      { rate: 100, durationMs: 100, drainMs: 50 },
    );
    expect(result).toMatchObject({ due: 10, succeeded: 5, failed: 0, unfinished: 5, errorRate: 0.5 });
    expect(result.histogram.count).toBe(10);
    expect(reasons).toHaveLength(5);
    expect(SaflaError.is(reasons[0]) && reasons[0].code).toBe('CLOSED');
  });

  it('counts what never got to start', async () => {
    const result = await loadTest(() => new Promise(() => undefined), {
      rate: 100,
      durationMs: 100,
      maxInFlight: 3,
      drainMs: 0,
    });
    expect(result).toMatchObject({ due: 10, succeeded: 0, unfinished: 10, errorRate: 1 });
    expect(result.histogram.count).toBe(10);
  });

  it('ends at once by its signal, with its reason, also under calls that never wait', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 20);
    let calls = 0;
    const running = loadTest(() => void calls++, { concurrency: 2, durationMs: 60_000, signal: controller.signal });
    await expect(running).rejects.toBe(reason);
    const atEnd = calls;
    await sleep(30);
    expect(calls).toBe(atEnd);
    await expect(loadTest(() => sleep(5), { rate: 10, durationMs: 60_000, timeoutMs: 20 })).rejects.toBeInstanceOf(
      TimeoutError,
    );
  });

  it('leaves the warm-up out', async () => {
    let calls = 0;
    const result = await loadTest(
      () => {
        if (++calls <= 10) throw new Error('cold');
      },
      { rate: 100, durationMs: 100, warmupMs: 100 },
    );
    expect(calls).toBe(20);
    expect(result).toMatchObject({ due: 10, succeeded: 10, errors: {} });
  });

  it('measures a real server', async () => {
    const server = createServer((_, response) => setTimeout(() => response.end('ok'), 20)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const result = await loadTest(async ({ signal }) => (await fetch(url, { signal })).text(), {
      concurrency: 4,
      durationMs: 300,
    });
    server.close().closeAllConnections();
    expect(result.errorRate).toBe(0);
    expect(result.latency.p50Ms).toBeGreaterThanOrEqual(19);
    expect(result.latency.p50Ms).toBeLessThanOrEqual(result.latency.p99Ms);
  });

  it.each([
    [{ durationMs: 100 }, 'either rate or concurrency'],
    [{ rate: 1, concurrency: 1, durationMs: 100 }, 'either rate or concurrency'],
    [{ rate: 0, durationMs: 100 }, 'loadTest.rate'],
    [{ concurrency: 0, durationMs: 100 }, 'loadTest.concurrency'],
    [{ concurrency: Number.POSITIVE_INFINITY, durationMs: 100 }, 'loadTest.concurrency'],
    [{ rate: 1 }, 'loadTest.durationMs'],
    [{ rate: 1, durationMs: Number.POSITIVE_INFINITY }, 'finite'],
    [{ rat: 1, durationMs: 1 }, "did you mean 'rate'"],
  ])('refuses %j', async (options, words) => {
    const call = (): void => undefined;
    await expect(loadTest(call, options as { durationMs: number })).rejects.toThrow(words);
  });
});
