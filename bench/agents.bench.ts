/**
 * What it costs to dispatch a task that does nothing, beside queues that do less, and beside the same work put together by
 * hand. First all in one process, then each in processes of its own: our tasks run in an AsyncLocalStorage, which on
 * Node.js 20 makes every promise of the process dearer, those of the peers too.
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Agent } from '@safla/sdk/agents';
import { barIndex, concurrency, type Dispatching, dispatching, median, Plain, sample } from './agents/dispatch.js';
import { compareFleets } from './support/agents-fleet.js';
import { compareFrameworks } from './support/agents-framework.js';

class Stuck extends Agent {
  constructor() {
    super('stuck', { maxQueue: Number.POSITIVE_INFINITY });
  }
  execute(): Promise<never> {
    return new Promise(() => undefined);
  }
}

const run = promisify(execFile);
const alone = fileURLToPath(new URL('agents/dispatch-alone.ts', import.meta.url));

async function sampleAlone(index: number, n: number): Promise<number> {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', alone, `${index}`, `${n}`]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as number;
}

/** Medians over rounds in which each has its turn; a first round warms up. */
async function compare(
  rounds: number,
  measure: (variant: Dispatching, index: number) => Promise<number>,
): Promise<number[]> {
  const samples = dispatching.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, variant] of dispatching.entries()) {
      const micros = await measure(variant, index);
      if (round >= 0) samples[index]?.push(micros);
    }
  }
  return samples.map(median);
}

function show(title: string, medians: readonly number[]): void {
  console.log(`\n${title}: CPU microseconds per task | x p-queue with priority`);
  for (const [index, { name }] of dispatching.entries()) {
    const micros = medians[index] ?? Number.NaN;
    const ratio = micros / (medians[barIndex] ?? Number.NaN);
    console.log(`${micros.toFixed(2).padStart(8)} | ${ratio.toFixed(2).padStart(5)} | ${name}`);
  }
}

for (const n of [2_000, 20_000]) {
  const title = `${n} tasks at once, concurrency ${concurrency}`;
  show(`${title}, all in one process`, await compare(7, (variant) => sample(variant, n)));
  show(`${title}, each alone in a process`, await compare(3, (_, index) => sampleAlone(index, n)));
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
await compareFleets(() => new Plain({ maxConcurrentTasks: 16 }));
await compareFrameworks(new Plain());
