/**
 * What an answer out of the cache costs in CPU time, RFC 9111 checks included, by the public calls of each
 * client: 200 bytes and 8 KB of JSON. The server is another process and answers once per client. Caller
 * gets data of its own from the SDK and got; from axios-cache-interceptor all callers get one object.
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
import { peerVersion } from './peers.js';

const server = fork(fileURLToPath(new URL('./support/cacheable-server.ts', import.meta.url)));
const [port] = (await once(server, 'message')) as [number];
const origin = `http://127.0.0.1:${port}`;

const api = new APIIntegration({ baseURL: origin, auth: 'key', cache: true });
const headers = { authorization: 'Bearer key' };
// Without `private` or `public` of the server, undici's shared type would not keep an answer to a credential.
const dispatcher = new Agent().compose(interceptors.cache({ type: 'private' }));
const cachedAxios = setupCache(Axios.create({ baseURL: origin, headers }));
const cachedGot = got.extend({ prefixUrl: origin, cache: new Map(), headers });
// One listener is left on the store per call of got.
process.setMaxListeners(0);

for (const [title, path, calls] of [
  ['200 bytes of JSON', 'orders/7', 20_000],
  ['8 KB of JSON', 'orders', 4_000],
] as const) {
  const variants = [
    { name: 'APIIntegration api.get', run: () => api.get(`/${path}`) },
    { name: 'APIIntegration api.request', run: () => api.request(`/${path}`) },
    { name: 'APIIntegration api.request, with a query', run: () => api.request(`/${path}`, { query: { page: 1 } }) },
    { name: `axios-cache-interceptor ${peerVersion('axios-cache-interceptor')}`, run: () => cachedAxios.get(`/${path}`) },
    {
      name: `undici ${peerVersion('undici')}, cache interceptor`,
      run: async () => (await request(`${origin}/${path}`, { dispatcher, headers })).body.json(),
    },
  ];
  // got is so much slower that its share of a round would be nearly all of it.
  const slow = [{ name: `got ${peerVersion('got')}, cache in a Map`, run: () => cachedGot(path).json() }];
  const results = [
    ...(await measure(variants, { calls, rounds: 7 })),
    ...(await measure(slow, { calls: calls / 20, rounds: 5 })),
  ];
  const peer = results[3]?.cpuMicros ?? Number.NaN;
  console.log(`\n${title}\n hits per CPU second | x axios-cache-interceptor`);
  for (const { name, cpuMicros } of results) {
    const perSecond = Math.round(1e6 / cpuMicros).toLocaleString('en');
    console.log(`${perSecond.padStart(20)} | ${(peer / cpuMicros).toFixed(1).padStart(6)} | ${name}`);
  }
  const least = Math.min(...results.slice(0, 3).map(({ cpuMicros }) => peer / cpuMicros));
  console.log(`bar: >= 25 x axios-cache-interceptor: ${least >= 25 ? 'met' : 'MISSED'}`);
}
const { cache } = api.stats();
console.log(`\nrequests that the SDK sent: ${cache?.stored}`);
await api.close();
await dispatcher.close();
server.disconnect();
