/**
 * How long an abort takes from `controller.abort()` until the last of the calls has rejected with its reason,
 * for one call, and in CPU time for 1,000 that share the signal, wherever they are. The server is another process.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { APIIntegration, type APIIntegrationOptions } from '@safla/sdk/api';
import { GraphQLIntegration } from '@safla/sdk/graphql';

const rounds = Number(process.env.BENCH_ROUNDS ?? 9);
const bulk = 1_000;

const server = fork(fileURLToPath(new URL('./silent-server.ts', import.meta.url)));
const [[port, mutePort]] = (await once(server, 'message')) as [[number, number]];
const baseURL = `http://127.0.0.1:${port}`;
const opened: { close(options: { timeoutMs: number }): Promise<void> }[] = [];

function open(options: Partial<APIIntegrationOptions> = {}): APIIntegration {
  const api = new APIIntegration({ baseURL, ...options });
  opened.push(api);
  return api;
}

const hourly = { limit: 1, intervalMs: 3_600_000, maxWaitMs: 4_000_000, maxQueue: bulk };
const plain = open();
const overHTTP = open({ transport: 'http' });
const byAxios = open();
await byAxios.client;
const bulkhead = open({ policy: { bulkhead: { maxConcurrent: 1, maxQueue: bulk } } });
const limited = open({ policy: { limiter: hourly } });
const paced = open({ pacing: { maxWaitMs: 4_000_000, maxPauseMs: 4_000_000, maxQueue: bulk } });
await paced.get('/quota');
const mute = open({ baseURL: `https://127.0.0.1:${mutePort}` });
const unauthorized = open({ auth: () => new Promise<never>(() => undefined) });
const graphql = new GraphQLIntegration(`${baseURL}/graphql`);
opened.push(graphql);

const states: Record<string, (signal: AbortSignal, index: number) => Promise<unknown>> = {
  'waiting for the answer': (signal) => plain.request('/', { signal }),
  'waiting, transport http': (signal) => overHTTP.request('/', { signal }),
  'waiting, through axios': (signal) => byAxios.request('/', { signal }),
  'reading the answer': (signal) => plain.request('/head', { signal }),
  'reading a stream': async (signal) => {
    for await (const _ of await plain.stream('/head', { signal }));
  },
  connecting: (signal) => mute.request('/', { signal }),
  'queued by the bulkhead': (signal) => bulkhead.request('/', { signal }),
  'queued by the limiter': (signal) => limited.request('/', { signal }),
  "queued by the server's quota": (signal) => paced.request('/', { signal }),
  'waiting for a credential': (signal) => unauthorized.request('/', { signal }),
  'GraphQL query': (signal, index) => graphql.query('query($n: Int) { a(n: $n) }', { n: index }, { signal }),
};

/** Milliseconds, sorted: of the clock for one call, of the CPU for many, which other processes do not lengthen. */
async function measure(start: (signal: AbortSignal, index: number) => Promise<unknown>, calls: number) {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const controller = new AbortController();
    const reason = new Error('enough');
    let last = 0;
    const settled = Array.from({ length: calls }, (_, index) =>
      start(controller.signal, index).then(
        () => fail('a call succeeded'),
        (error: unknown) => {
          if (error !== reason) fail(`a call rejected with ${error}`);
          last = performance.now();
        },
      ),
    );
    await sleep(calls === 1 ? 50 : 400);
    const before = process.cpuUsage();
    const abortedAt = performance.now();
    controller.abort(reason);
    await Promise.all(settled);
    const { user, system } = process.cpuUsage(before);
    times.push(calls === 1 ? last - abortedAt : (user + system) / 1_000);
  }
  return times.sort((a, b) => a - b);
}

console.log(`milliseconds until the last call has rejected, median (most) of ${rounds}`);
console.log('    1 call      |  1,000 calls (CPU)  |');
let slowest = 0;
for (const [name, start] of Object.entries(states)) {
  const columns: string[] = [];
  for (const calls of [1, bulk]) {
    const times = await measure(start, calls);
    const median = times[Math.floor(times.length / 2)] ?? Number.NaN;
    if (calls === 1) slowest = Math.max(slowest, median);
    columns.push(`${median.toFixed(1).padStart(6)} (${(times.at(-1) ?? Number.NaN).toFixed(1)})`.padEnd(15));
  }
  console.log(`${columns.join(' | ')} | ${name}`);
}
console.log(`bar: <= 50 ms for a call: ${slowest <= 50 ? 'met' : 'MISSED'}`);
await Promise.all(opened.map((each) => each.close({ timeoutMs: 0 })));
server.disconnect();

function fail(message: string): never {
  throw new Error(message);
}
