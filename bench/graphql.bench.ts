/**
 * What one query costs in CPU time: the SDK with all default policies beside a bare POST and the usual
 * client, 32 requests at once, the server in another process, rounds interleaved and rotated. Every query
 * has other variables, so that none is shared.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { GraphQLIntegration } from '@safla/sdk/graphql';
import { parse } from 'graphql';
import { GraphQLClient } from 'graphql-request';
import * as undici from 'undici';
import { peerVersion } from './peers.js';

const concurrency = 32;
const calls = Number(process.env.BENCH_CALLS ?? 5_000);
const rounds = Number(process.env.BENCH_ROUNDS ?? 7);

const server = fork(fileURLToPath(new URL('./graphql-server.ts', import.meta.url)));
const [port] = (await once(server, 'message')) as [number];
const endpoint = `http://127.0.0.1:${port}/graphql`;

const document = `query GetUser($userId: ID!) {
  user(id: $userId) {
    id
    name
    email
    profile { bio avatar }
  }
}`;
const node = parse(document);
const headers = { 'content-type': 'application/json', authorization: 'Bearer key' };
let count = 0;
const next = (): { userId: string } => ({ userId: `user-${count++}` });
const body = (): string => JSON.stringify({ query: document, operationName: 'GetUser', variables: next() });

const ours = new GraphQLIntegration(endpoint, { authorization: 'Bearer key' });
const plain = new GraphQLClient(endpoint, { headers });
const undiciVersion = peerVersion('undici');
const graphqlRequest = `graphql-request ${peerVersion('graphql-request')}`;

const variants: Record<string, () => Promise<unknown>> = {
  [`undici.request ${undiciVersion}`]: async () =>
    (await undici.request(endpoint, { method: 'POST', headers, body: body() })).body.json(),
  [`fetch of Node ${process.versions.node}`]: async () =>
    (await fetch(endpoint, { method: 'POST', headers, body: body() })).json(),
  [`${graphqlRequest}, text`]: () => plain.request(document, next()),
  [`${graphqlRequest}, document node`]: () => plain.request(node, next()),
  'GraphQLIntegration, text': () => ours.query(document, next()),
  'GraphQLIntegration, document node': () => ours.query(node, next()),
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
await ours.close();
server.disconnect();

const baseline = samples.get(names[0] ?? '') ?? [];
/** Ratios are taken within a round, where both sides had the same machine. */
const ratio = (own: readonly number[]): number =>
  median(own.map((value, round) => value / (baseline[round] ?? Number.NaN)));

console.log('CPU microseconds per query | x undici.request');
for (const [name, own] of samples) {
  console.log(`${median(own).toFixed(0).padStart(8)} | ${ratio(own).toFixed(2).padStart(6)} | ${name}`);
}
const reached = Math.max(...names.slice(4).map((name) => ratio(samples.get(name) ?? [])));
console.log(`bar: <= 1.6x undici.request: ${reached <= 1.6 ? 'met' : 'MISSED'}`);

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function fail(): never {
  throw new Error('unreachable');
}
