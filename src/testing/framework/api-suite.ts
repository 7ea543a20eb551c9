import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { SaflaError } from '../../core/index.js';
import type { APISubject, APITarget, APITestOptions, MakeAPI } from './api-target.js';
import { type CountedRequest, CountingServer } from './counting-server.js';
import type { Suite } from './suite-runner.js';

const defaultRate = { requests: 5, perMs: 1_000 };
/** Of timers and clocks, in milliseconds. */
const slackMs = 5;

/**
 * The tests of one API integration. Between it and its API stands a server that counts what really arrives,
 * so that a cache, or an object that answers by itself, cannot pass.
 */
export function apiSuite(suite: Suite, name: string, options: APITestOptions, makeAPI: MakeAPI): void {
  const { path = '/test', apiKey = randomBytes(12).toString('hex') } = options;
  suite.describe(`API Integration: ${name}`, () => {
    let bench: Bench | undefined;
    const opened = (): Bench => {
      assert.ok(bench, 'the server that counts did not start');
      return bench;
    };
    suite.beforeAll(async () => {
      const upstream = options.baseURL === undefined ? undefined : new URL(options.baseURL);
      bench = new Bench(await CountingServer.start({ upstream, apiKey }), options, makeAPI);
    });
    suite.afterAll(async () => {
      await bench?.close();
    });
    suite.it('should authenticate successfully', async () => {
      const api = await opened().open(apiKey);
      assert.deepEqual((await api.authenticate()).success, true, 'the right key must be taken');
      assert.ok(opened().arrived('GET').length > 0, 'authenticate() must ask the server');
      if (options.baseURL !== undefined && options.apiKey === undefined) return;
      const stranger = await opened().open(`not-${apiKey}`);
      assert.deepEqual((await stranger.authenticate()).success, false, 'a wrong key must not be taken');
    });
    suite.it('should handle GET requests', async () => {
      const bench = opened();
      const api = await bench.open(apiKey);
      bench.forget();
      assert.notEqual(await api.get(path), undefined, 'a GET must give the answer');
      const seen = bench.arrived('GET', path);
      assert.equal(seen.length, 1, `one GET of ${path} must arrive`);
      assertAnswered(seen);
    });
    suite.it('should handle POST requests', async () => {
      const bench = opened();
      const api = await bench.open(apiKey);
      bench.forget();
      assert.notEqual(await api.post(path, { data: 'test' }), undefined, 'a POST must give the answer');
      const seen = bench.arrived('POST', path);
      assert.equal(seen.length, 1, `one POST of ${path} must arrive`);
      assert.deepEqual(JSON.parse(seen[0]?.body ?? ''), { data: 'test' }, 'the data must arrive as it was given');
      assertAnswered(seen);
    });
    suite.it('should handle rate limiting', () => keepsRate(opened(), apiKey, path));
  });
}

/**
 * More calls than the limit at once: those that arrive do so no faster than a token bucket lets them, all
 * others are refused as rate limited, and the first burst gets through. Late arrivals never fail it.
 */
async function keepsRate(bench: Bench, apiKey: string, path: string): Promise<void> {
  const { requests, perMs } = bench.rate;
  const api = await bench.open(apiKey, true);
  bench.forget();
  const start = performance.now();
  const calls = Array.from({ length: requests * 2 }, (_, n) => api.get(path, { call: String(n) }));
  const outcomes = await Promise.allSettled(calls);
  const arrivals = bench.arrived('GET', path).map(({ at }) => at - start);
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  for (const reason of refused)
    assert.ok(
      isRateLimited(reason),
      `a call over the limit must be refused as rate limited, not with ${String(reason)}`,
    );
  assert.ok(arrivals.length >= requests, `the first ${requests} calls must get through, ${arrivals.length} did`);
  for (const [n, at] of arrivals.entries()) {
    const earliest = ((n - requests + 1) * perMs) / requests - slackMs;
    assert.ok(
      at >= earliest,
      `call ${n + 1} arrived after ${at.toFixed(0)} ms; ${requests} calls per ${perMs} ms allow it after ${earliest.toFixed(0)} ms`,
    );
  }
}

function isRateLimited(reason: unknown): boolean {
  if (SaflaError.is(reason) && (reason.code === 'RATE_LIMITED' || reason.code === 'QUEUE_FULL')) return true;
  return (reason as { readonly status?: unknown } | undefined)?.status === 429;
}

function assertAnswered(seen: readonly CountedRequest[]): void {
  for (const { status } of seen) assert.ok(status >= 200 && status < 300, `the server answered ${status}`);
}

/** The server that counts, and the integrations that were opened over it. */
class Bench {
  readonly #server: CountingServer;
  readonly #options: APITestOptions;
  readonly #makeAPI: MakeAPI;
  readonly #opened: APISubject[] = [];

  constructor(server: CountingServer, options: APITestOptions, makeAPI: MakeAPI) {
    this.#server = server;
    this.#options = options;
    this.#makeAPI = makeAPI;
  }

  get rate(): { readonly requests: number; readonly perMs: number } {
    return this.#options.rateLimit ?? defaultRate;
  }

  async open(apiKey: string, limited: boolean = false): Promise<APISubject> {
    const { create, authPath } = this.#options;
    const target: APITarget = { baseURL: this.#server.baseURL, apiKey, rateLimit: limited ? this.rate : undefined };
    const { baseURL, rateLimit } = target;
    const api = create
      ? await create(target)
      : await this.#makeAPI({
          baseURL,
          apiKey,
          ...(rateLimit ? { rateLimit } : {}),
          ...(authPath === undefined ? {} : { authPath }),
        });
    this.#opened.push(api);
    return api;
  }

  forget(): void {
    this.#server.requests.length = 0;
  }

  /** Without a path: all with this method. */
  arrived(method: string, path?: string): readonly CountedRequest[] {
    return this.#server.requests.filter(
      (seen) => seen.method === method && (path === undefined || seen.path.endsWith(path)),
    );
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.map((api) => api.close?.()));
    await this.#server.close();
  }
}
