/**
 * What a test waits for: PostgreSQL the first time (an empty cache folder: `initdb` runs) and later (its result is
 * copied), Redis, a namespace, and stopping. Wall milliseconds, from the call to a server that accepts work.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestContainer, type TestContainerOptions } from '@safla/sdk/testing';
import { median } from './measure.js';

const rounds = 5;

interface Times {
  readonly origin: string;
  readonly ready: number;
  readonly namespace: number;
  readonly stop: number;
}

async function timed<T>(work: () => Promise<T>): Promise<[result: T, ms: number]> {
  const started = performance.now();
  const result = await work();
  return [result, performance.now() - started];
}

async function once(name: 'postgres' | 'redis', options: TestContainerOptions): Promise<Times> {
  const [services, ready] = await timed(() => TestContainer.start(options));
  const service = services[name];
  const [own, namespace] = await timed(() => service.namespace());
  await own.drop();
  const [, stop] = await timed(() => services.stop());
  return { origin: `${service.name} ${service.version} (${service.kind})`, ready, namespace, stop };
}

function show(when: string, times: readonly Times[]): number {
  const ready = median(times.map((time) => time.ready));
  const most = Math.max(...times.map((time) => time.ready));
  const rest = (['namespace', 'stop'] as const).map((key) =>
    median(times.map((time) => time[key]))
      .toFixed(0)
      .padStart(5),
  );
  console.log(
    `${ready.toFixed(0).padStart(6)} | ${most.toFixed(0).padStart(6)} | ${rest.join(' | ')} | ${times[0]?.origin}, ${when}`,
  );
  return most;
}

console.log(`milliseconds, medians of ${rounds}: ready | slowest | namespace | stop`);
let slowestFirst = 0;
let slowestWarm = 0;
for (const kind of ['system', 'package'] as const) {
  const first: Times[] = [];
  const warm: Times[] = [];
  for (let round = 0; round < rounds; round++) {
    const cachePath = await mkdtemp(join(tmpdir(), 'safla-bench-'));
    await chmod(cachePath, 0o755);
    const options = { postgres: { kinds: [kind] }, cachePath };
    first.push(await once('postgres', options));
    warm.push(await once('postgres', options));
    await rm(cachePath, { recursive: true, force: true });
  }
  slowestFirst = Math.max(slowestFirst, show('first time', first));
  slowestWarm = Math.max(slowestWarm, show('later', warm));
}
const redis: Times[] = [];
for (let round = 0; round < rounds; round++) redis.push(await once('redis', { redis: { kinds: ['system'] } }));
show('always', redis);

console.log(`bar: PostgreSQL ready <= 10 s the first time: ${slowestFirst <= 10_000 ? 'met' : 'MISSED'}`);
console.log(`bar: PostgreSQL ready <= 3 s later: ${slowestWarm <= 3_000 ? 'met' : 'MISSED'}`);
