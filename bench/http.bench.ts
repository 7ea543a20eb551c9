/**
 * What one GET of 200 bytes of JSON costs in CPU time: the SDK with its default policies beside the
 * usual clients, 32 requests at once, the server in another process, rounds interleaved and rotated.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { APIIntegration } from '@safla/sdk';
import axios from 'axios';
import got from 'got';
import * as undici from 'undici';
import { measure, timesAsMuch } from './measure.js';
import { version } from './support/version.js';

const calls = Number(process.env.BENCH_CALLS ?? 5_000);
const rounds = Number(process.env.BENCH_ROUNDS ?? 7);

const server = fork(fileURLToPath(new URL('./http-server.ts', import.meta.url)));
const [port] = (await once(server, 'message')) as [number];
const origin = `http://127.0.0.1:${port}`;
const url = `${origin}/orders/42`;

const api = new APIIntegration({ baseURL: origin, auth: 'key' });
const touched = new APIIntegration({ baseURL: origin, auth: 'key' });
await touched.client;
const keepAlive = axios.create({ httpAgent: new Agent({ keepAlive: true, maxSockets: 128 }) });

const variants = [
  { name: `undici.request ${version('undici')}`, run: async () => (await undici.request(url)).body.json() },
  { name: `undici.fetch ${version('undici')}`, run: async () => (await undici.fetch(url)).json() },
  { name: `fetch of Node ${process.versions.node}`, run: async () => (await fetch(url)).json() },
  { name: `axios ${version('axios')}`, run: async () => (await axios.get(url)).data },
  { name: `axios ${version('axios')}, keep-alive agent`, run: async () => (await keepAlive.get(url)).data },
  { name: `got ${version('got')}`, run: () => got(url).json() },
  { name: 'APIIntegration, all default policies', run: async () => (await api.request('/orders/42')).data },
  { name: 'APIIntegration, its axios instance in use', run: async () => (await touched.request('/orders/42')).data },
];

const results = await measure(variants, { calls, rounds, concurrency: 32, warmup: calls });
await api.close();
await touched.close();
server.disconnect();

const [byUndici, , , byAxios] = results;
const ours = results.find(({ name }) => name === 'APIIntegration, all default policies');
console.log('CPU microseconds per request | x undici.request | x axios');
for (const result of results) {
  const columns = [
    result.cpuMicros.toFixed(0).padStart(8),
    timesAsMuch(result, byUndici).toFixed(2),
    timesAsMuch(result, byAxios).toFixed(2),
  ];
  console.log(`${columns.map((text) => text.padStart(7)).join(' | ')} | ${result.name}`);
}
const [toUndici, toAxios] = [timesAsMuch(ours, byUndici), timesAsMuch(ours, byAxios)];
console.log(
  `bar: <= 2.3x undici.request: ${toUndici <= 2.3 ? 'met' : 'MISSED'}; <= 0.75x axios: ${toAxios <= 0.75 ? 'met' : 'MISSED'}`,
);
