import { randomUUID } from 'node:crypto';
import { APIIntegration, type RequestOptions } from '@safla/sdk/api';
import { SaflaError } from '@safla/sdk/core';
import { afterEach, describe, expect, it } from 'vitest';
import { json, type Seen, serve, type TestServer } from './support/server.js';

const calls = process.env.SAFLA_SOAK ? 10_000 : 1_000;
const concurrency = 50;

let server: TestServer;
let api: APIIntegration;

afterEach(async () => {
  await api.close({ timeoutMs: 0 });
  await server[Symbol.asyncDispose]();
});

/** Runs `count` pieces of work, some at a time. */
async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** A ledger that writes each body once per idempotency key, as the draft for that header asks of servers. */
class Ledger {
  readonly commits: Map<string, number> = new Map();
  readonly keysOf: Map<string, Set<string>> = new Map();
  readonly #done: Set<string> = new Set();

  write({ body, headers }: Seen): void {
    const text = body.toString();
    const key = headers['idempotency-key'];
    if (typeof key === 'string') {
      this.keysOf.set(text, (this.keysOf.get(text) ?? new Set()).add(key));
      if (this.#done.has(key)) return;
      this.#done.add(key);
    }
    this.commits.set(text, (this.commits.get(text) ?? 0) + 1);
  }
}

describe('under faults', () => {
  it('no write happens twice, what succeeded was written, and no deadline is overrun', async () => {
    const ledger = new Ledger();
    let arrived = 0;
    server = await serve((seen, response) => {
      const turn = arrived++;
      // Bursts of 503 open and close the circuit; in between come single faults of every kind.
      if (turn % 400 >= 300 && turn % 400 < 330) return json(response, {}, {}, 503);
      if (turn % 20 === 3) return response.destroy();
      if (turn % 20 === 7) return json(response, {}, { 'retry-after': '0' }, 429);
      if (turn % 50 === 11) return undefined;
      ledger.write(seen);
      if (turn % 20 === 13) return response.destroy();
      return json(response, { written: true });
    });
    api = new APIIntegration({
      baseURL: server.origin,
      policy: {
        attemptTimeoutMs: 1_000,
        timeoutMs: 5_000,
        retry: { baseDelayMs: 1, maxRetries: 3, budget: { ratio: 0.5 } },
        breaker: { openMs: 20 },
      },
    });
    const written: string[] = [];
    const failures = new Set<unknown>();
    let slowest = 0;
    await inParallel(calls, async (index) => {
      const body = `entry ${index}`;
      const plain: RequestOptions = { method: 'POST', body };
      const options = index % 2 === 0 ? { ...plain, idempotencyKey: randomUUID() } : plain;
      let code: unknown;
      do {
        // Refused at once, and nothing was sent: all would be over before the circuit closes again.
        if (code === 'CIRCUIT_OPEN') await new Promise((resolve) => setTimeout(resolve, 20));
        code = undefined;
        const startedAt = performance.now();
        try {
          await api.request('/ledger', options);
          written.push(body);
        } catch (error) {
          code = SaflaError.is(error) ? error.code : error;
          failures.add(code);
        }
        slowest = Math.max(slowest, performance.now() - startedAt);
      } while (code === 'CIRCUIT_OPEN');
    });
    // Whatever the server did, nothing was written twice, and each retry carried the key of its first attempt.
    expect([...ledger.commits.values()].filter((count) => count !== 1)).toEqual([]);
    expect([...ledger.keysOf.values()].filter((keys) => keys.size !== 1)).toEqual([]);
    expect(written.filter((body) => !ledger.commits.has(body))).toEqual([]);
    // Enough faults and enough successes to mean something.
    expect(written.length).toBeGreaterThan(calls / 2);
    expect(api.stats().policy.attempts).toBeGreaterThan(calls);
    for (const code of failures) expect(['CONNECTION', 'TIMEOUT', 'HTTP_STATUS', 'CIRCUIT_OPEN']).toContain(code);
    // The clock of a busy machine is late; a call that waits for ever is not.
    expect(slowest).toBeLessThan(5_000 + 10_000);
  });

  it.each<[string, (response: import('node:http').ServerResponse) => unknown]>([
    ['answers 503', (response) => json(response, {}, {}, 503)],
    ['answers 429', (response) => json(response, {}, { 'retry-after': '0' }, 429)],
    ['breaks every connection', (response) => response.destroy()],
    ['never answers', () => undefined],
  ])('a server that %s gets at most 1.1 requests for each call', async (_, fail) => {
    let requests = 0;
    server = await serve((_, response) => {
      requests += 1;
      return fail(response);
    });
    api = new APIIntegration({ baseURL: server.origin, policy: { attemptTimeoutMs: 150, retry: { baseDelayMs: 1 } } });
    await inParallel(calls, async (index) => {
      await api.get(`/${index}`).catch(() => undefined);
    });
    expect(requests).toBeGreaterThan(0);
    expect(requests / calls).toBeLessThanOrEqual(1.1);
  });

  it('without a breaker the budget alone keeps the amplification at 1.1, plus its reserve of 10', async () => {
    server = await serve((_, response) => json(response, {}, {}, 503));
    api = new APIIntegration({ baseURL: server.origin, policy: { breaker: false, retry: { baseDelayMs: 1 } } });
    await inParallel(calls, async (index) => {
      await api.get(`/${index}`).catch(() => undefined);
    });
    expect(server.seen.length).toBeLessThanOrEqual(calls * 1.1 + 10);
    expect(server.seen.length).toBeGreaterThan(calls);
  });
});
