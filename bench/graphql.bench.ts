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
import { measure, timesAsMuch } from './measure.js';
import { version } from './support/version.js';

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
const graphqlRequest = `graphql-request ${version('graphql-request')}`;

const variants = [
  {
    name: `undici.request ${version('undici')}`,
    run: async () => (await undici.request(endpoint, { method: 'POST', headers, body: body() })).body.json(),
  },
  {
    name: `fetch of Node ${process.versions.node}`,
    run: async () => (await fetch(endpoint, { method: 'POST', headers, body: body() })).json(),
  },
  { name: `${graphqlRequest}, text`, run: () => plain.request(document, next()) },
  { name: `${graphqlRequest}, document node`, run: () => plain.request(node, next()) },
  { name: 'GraphQLIntegration, text', run: () => ours.query(document, next()) },
  { name: 'GraphQLIntegration, document node', run: () => ours.query(node, next()) },
];

const results = await measure(variants, { calls, rounds, concurrency: 32, warmup: calls });
await ours.close();
server.disconnect();

console.log('CPU microseconds per query | x undici.request');
for (const result of results) {
  const times = timesAsMuch(result, results[0]).toFixed(2);
  console.log(`${result.cpuMicros.toFixed(0).padStart(8)} | ${times.padStart(6)} | ${result.name}`);
}
const reached = Math.max(...results.slice(4).map((result) => timesAsMuch(result, results[0])));
console.log(`bar: <= 1.6x undici.request: ${reached <= 1.6 ? 'met' : 'MISSED'}`);
