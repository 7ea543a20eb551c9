/** What it costs to dispatch a task that does nothing, beside queues that do less. */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Agent, type Task } from '@safla/sdk/agents';
import fastq from 'fastq';
import PQueue from 'p-queue';
import { z } from 'zod';
import { peerVersion } from './peers.js';

const concurrency = 5;
class Plain extends Agent {
  constructor(options: object = {}) {
    super('plain', { maxConcurrentTasks: concurrency, maxQueue: Number.POSITIVE_INFINITY, ...options });
  }
  async execute(task: Task): Promise<unknown> {
    return task.parameters.n;
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

/** One process for each: whoever uses AsyncLocalStorage makes every promise of its process dearer. */
const wanted = process.argv[2];
if (wanted === undefined) {
  for (const n of [2_000, 20_000]) {
    const samples = variants.map((): number[] => []);
    for (let round = 0; round < 5; round++)
      for (const index of variants.keys()) samples[index]?.push(measureApart(index, n));
    console.log(`${n} tasks: CPU microseconds per task`);
    for (const [index, { name }] of variants.entries()) {
      console.log(
        `${median(samples[index] ?? [])
          .toFixed(2)
          .padStart(8)}  ${name}`,
      );
    }
  }
} else {
  const n = Number(process.argv[3]);
  const run = variants[Number(wanted)]?.run ?? (() => Promise.resolve());
  // As many tasks before the first measure in each case: what is compared is compiled code.
  for (let done = 0; done < 100_000; done += n) await run(n);
  const samples: number[] = [];
  for (let round = 0; round < 7; round++) {
    globalThis.gc?.();
    const before = process.cpuUsage();
    await run(n);
    const { user, system } = process.cpuUsage(before);
    samples.push((user + system) / n);
  }
  console.log(median(samples));
}

function measureApart(index: number, n: number): number {
  const file = fileURLToPath(import.meta.url);
  const args = ['--expose-gc', '--import', 'tsx', file, String(index), String(n)];
  return Number(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
