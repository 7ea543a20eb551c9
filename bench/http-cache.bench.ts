/**
 * What an answer out of the cache costs in CPU time, the checks of RFC 9111 included, by the public calls
 * of each client: 200 bytes and 8 KB of JSON. The server is another process and answers once per client
 * and URL. The SDK, undici and got give each caller data of its own; axios-cache-interceptor gives all
 * callers one object, so it stands a second time with the copy that would make it safe.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { APIIntegration } from '@safla/sdk';
import Axios from 'axios';
import { setupCache } from 'axios-cache-interceptor';
import got from 'got';
import { Agent, interceptors, request } from 'undici';
import { measure } from './measure.js';
import { version } from './support/version.js';

// got leaves a listener on its store with every call, and says so each time.
console.warn = () => undefined;

const server = fork(fileURLToPath(new URL('./support/cacheable-server.ts', import.meta.url)));
const [port] = (await once(server, 'message')) as [number];
const origin = `http://127.0.0.1:${port}`;
const headers = { authorization: 'Bearer key' };

const api = new APIIntegration({ baseURL: origin, auth: 'key', cache: true });
const dispatcher = new Agent().compose(interceptors.cache({ type: 'private' }));
const cachedAxios = setupCache(Axios.create({ baseURL: origin, headers }));
const cachedGot = got.extend({ prefixUrl: origin, cache: new Map(), headers });
const interceptor = `axios-cache-interceptor ${version('axios-cache-interceptor')}`;

/** Ours are run this often for each call of the others: a sample of some milliseconds measures the JIT. */
const batch = 20;
const times = (count: number, run: () => Promise<unknown>) => async (): Promise<void> => {
  for (let n = 0; n < count; n++) await run();
};

for (const [title, path, calls, bar] of [
  ['200 bytes of JSON', 'orders/7', 20_000, 25],
  ['8 KB of JSON', 'orders', 4_000, 0],
] as const) {
  const variants = [
    { name: 'APIIntegration, get', run: times(batch, () => api.get(`/${path}`)) },
    { name: 'APIIntegration, request', run: times(batch, () => api.request(`/${path}`)) },
    {
      name: 'APIIntegration, request with a query',
      run: times(batch, () => api.request(`/${path}`, { query: { page: 1 } })),
    },
    { name: interceptor, run: async () => (await cachedAxios.get(`/${path}`)).data },
    {
      name: `${interceptor} + structuredClone`,
      run: async () => structuredClone((await cachedAxios.get(`/${path}`)).data),
    },
    {
      name: `undici ${version('undici')}, cache interceptor`,
      run: async () => (await request(`${origin}/${path}`, { dispatcher, headers })).body.json(),
    },
  ];
  // Its listeners make got slower with every call: it is measured last, on fewer.
  const slow = [{ name: `got ${version('got')}, cache in a Map`, run: () => cachedGot(path).json() }];
  const results = [
    ...(await measure(variants, { calls, rounds: 7 })).map((result, index) =>
      index < 3 ? { ...result, cpuMicros: result.cpuMicros / batch } : result,
    ),
    ...(await measure(slow, { calls: calls / 50, rounds: 5 })),
  ];
  const peer = results[3]?.cpuMicros ?? Number.NaN;
  console.log(`\n${title}\nhits per CPU second | x axios-cache-interceptor`);
  for (const { name, cpuMicros } of results) {
    const perSecond = Math.round(1e6 / cpuMicros).toLocaleString('en');
    console.log(`${perSecond.padStart(19)} | ${(peer / cpuMicros).toFixed(1).padStart(6)} | ${name}`);
  }
  const least = Math.min(...results.slice(0, 3).map(({ cpuMicros }) => peer / cpuMicros));
  if (bar > 0)
    console.log(`bar: >= ${bar} x axios-cache-interceptor, by each call: ${least >= bar ? 'met' : 'MISSED'}`);
}

await api.close();
await dispatcher.close();
server.disconnect();
