/**
 * What it costs to dispatch a task that does nothing, beside queues that do less. All in one process: our tasks run in an
 * AsyncLocalStorage, which on Node.js 20 makes every promise of the process dearer, those of the peers too. What a peer
 * costs in a process without one: `npm run bench -- agents` with ALONE=2 (the line of the table, from 0).
 */

import { Agent, type Task } from '@safla/sdk/agents';
import fastq from 'fastq';
import PQueue from 'p-queue';
import { z } from 'zod';
import { peerVersion } from './peers.js';
import { compareFleets } from './support/agents-fleet.js';
import { compareFrameworks } from './support/agents-framework.js';

const concurrency = 5;
class Plain extends Agent {
  constructor(options: object = {}) {
    super('plain', { maxConcurrentTasks: concurrency, maxQueue: Number.POSITIVE_INFINITY, ...options });
  }
  async execute(task: Task): Promise<unknown> {
    return task.parameters.n;
  }
}
class Stuck extends Agent {
  constructor() {
    super('stuck', { maxQueue: Number.POSITIVE_INFINITY });
  }
  execute(): Promise<never> {
    return new Promise(() => undefined);
  }
}
const Input = z.object({ n: z.number() });
const all = { timeoutMs: 60_000, retry: { maxRetries: 2 }, input: Input };

async function ours(agent: Agent, n: number): Promise<void> {
  const results: Promise<unknown>[] = [];
  for (let i = 0; i < n; i++)
    results.push(agent.submit({ type: 't', parameters: { n: i } }, { priority: i % 3 }).result);
  await Promise.all(results);
}
const variants: { name: string; run: (n: number) => Promise<void> }[] = [
  { name: 'Agent: priority', run: (n) => ours(new Plain(), n) },
  { name: 'Agent: priority, timeout, retry, validation', run: (n) => ours(new Plain(all), n) },
  {
    name: `p-queue ${peerVersion('p-queue')}: priority`,
    run: async (n) => {
      const queue = new PQueue({ concurrency });
      const results: Promise<unknown>[] = [];
      for (let i = 0; i < n; i++) results.push(queue.add(async () => i, { priority: i % 3 }));
      await Promise.all(results);
    },
  },
  {
    name: `p-queue ${peerVersion('p-queue')}: priority, timeout`,
    run: async (n) => {
      const queue = new PQueue({ concurrency, timeout: 60_000 });
      const results: Promise<unknown>[] = [];
      for (let i = 0; i < n; i++) results.push(queue.add(async () => i, { priority: i % 3 }));
      await Promise.all(results);
    },
  },
  {
    name: `fastq ${peerVersion('fastq')}: no priority`,
    run: async (n) => {
      const queue = fastq.promise(async (i: number) => i, concurrency);
      const results: Promise<unknown>[] = [];
      for (let i = 0; i < n; i++) results.push(queue.push(i));
      await Promise.all(results);
    },
  },
];

/** Samples of one variant cover as many tasks in each case, and begin when the code is compiled. */
const tasksPerSample = 40_000;

async function sample(run: (n: number) => Promise<void>, n: number): Promise<number> {
  globalThis.gc?.();
  const before = process.cpuUsage();
  for (let done = 0; done < tasksPerSample; done += n) await run(n);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / tasksPerSample;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const alone = process.env.ALONE === undefined ? undefined : variants[Number(process.env.ALONE)];
if (alone) variants.splice(0, variants.length, alone);

for (const n of [2_000, 20_000]) {
  const samples = variants.map((): number[] => []);
  for (let round = -2; round < 9; round++) {
    for (const [index, { run }] of variants.entries()) {
      const micros = await sample(run, n);
      if (round >= 0) samples[index]?.push(micros);
    }
  }
  const medians = samples.map(median);
  const bar = medians[alone ? 0 : 2] ?? Number.NaN;
  console.log(`\n${n} tasks at once, concurrency ${concurrency}: CPU microseconds per task | x p-queue with priority`);
  for (const [index, { name }] of variants.entries()) {
    const micros = medians[index] ?? Number.NaN;
    console.log(`${micros.toFixed(2).padStart(8)} | ${(micros / bar).toFixed(2).padStart(5)} | ${name}`);
  }
}

/** What a mass abort costs: 100,000 tasks queued behind one that is stuck share a signal. */
const agent = new Stuck();
const stuck = agent.submit({ type: 'stuck' });
await new Promise((resolve) => setImmediate(resolve));
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
const controller = new AbortController();
let results: Promise<unknown>[] = [];
for (let i = 0; i < 100_000; i++) results.push(agent.submit({ type: 't' }, { signal: controller.signal }).result);
globalThis.gc?.();
const queued = process.memoryUsage().heapUsed;
const start = process.cpuUsage();
controller.abort(new Error('enough'));
const left = agent.queued;
await Promise.all(results);
const { user, system } = process.cpuUsage(start);
results = [];
await new Promise((resolve) => setImmediate(resolve));
globalThis.gc?.();
globalThis.gc?.();
const after = process.memoryUsage().heapUsed;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
console.log(
  `\nabort of 100,000 queued tasks: ${left} left in the queue when abort returned, ${((user + system) / 1_000).toFixed(0)} CPU ms until all had settled, ${megabytes(queued - before)} held before, ${megabytes(after - before)} after`,
);
stuck.cancel();

// Last, because LangGraph brings an AsyncLocalStorage of its own.
if (!alone) {
  await compareFleets(() => new Plain({ maxConcurrentTasks: 16 }));
  await compareFrameworks(new Plain());
}
