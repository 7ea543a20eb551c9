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
import { peerVersion } from './peers.js';

const concurrency = 32;
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

const variants: Record<string, () => Promise<unknown>> = {
  [`undici.request ${peerVersion('undici')}`]: async () => (await undici.request(url)).body.json(),
  [`undici.fetch ${peerVersion('undici')}`]: async () => (await undici.fetch(url)).json(),
  [`fetch of Node ${process.versions.node}`]: async () => (await fetch(url)).json(),
  [`axios ${peerVersion('axios')}`]: async () => (await axios.get(url)).data,
  [`axios ${peerVersion('axios')}, keep-alive agent`]: async () => (await keepAlive.get(url)).data,
  [`got ${peerVersion('got')}`]: () => got(url).json(),
  'APIIntegration, all default policies': async () => (await api.request('/orders/42')).data,
  'APIIntegration, its axios instance in use': async () => (await touched.request('/orders/42')).data,
};

async function repeat(run: () => Promise<unknown>, times: number): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await run();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

const names = Object.keys(variants);
const samples = new Map(names.map((name) => [name, [] as number[]]));
for (const name of names) await repeat(variants[name] ?? fail, calls);
for (let round = 0; round < rounds; round++) {
  for (let index = 0; index < names.length; index++) {
    const name = names[(index + round) % names.length] ?? '';
    globalThis.gc?.();
    const before = process.cpuUsage();
    await repeat(variants[name] ?? fail, calls);
    const { user, system } = process.cpuUsage(before);
    samples.get(name)?.push((user + system) / calls);
  }
}
await api.close();
await touched.close();
server.disconnect();

const baseline = samples.get(names[0] ?? '') ?? [];
const plain = samples.get(names[3] ?? '') ?? [];
/** Ratios are taken within a round, where both sides had the same machine. */
const ratio = (own: readonly number[], other: readonly number[]): number =>
  median(own.map((value, round) => value / (other[round] ?? Number.NaN)));

console.log('CPU microseconds per request | x undici.request | x axios');
for (const [name, own] of samples) {
  const columns = [median(own).toFixed(0).padStart(8), ratio(own, baseline).toFixed(2), ratio(own, plain).toFixed(2)];
  console.log(`${columns.map((text) => text.padStart(7)).join(' | ')} | ${name}`);
}
const ours = samples.get('APIIntegration, all default policies') ?? [];
const [toUndici, toAxios] = [ratio(ours, baseline), ratio(ours, plain)];
console.log(
  `bar: <= 2.3x undici.request: ${toUndici <= 2.3 ? 'met' : 'MISSED'}; <= 0.75x axios: ${toAxios <= 0.75 ? 'met' : 'MISSED'}`,
);

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function fail(): never {
  throw new Error('unreachable');
}
