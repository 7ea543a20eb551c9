import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, type Task } from '@safla/sdk/agents';
import fastq from 'fastq';
import PQueue from 'p-queue';
import { z } from 'zod';
import { peer } from '../memory/peer.js';
import { version } from '../support/version.js';

/** What dispatches `n` tasks that do nothing, submitted at once. */
export interface Dispatching {
  readonly name: string;
  readonly run: (n: number) => Promise<void>;
}

/** How many run at the same time. */
export const concurrency = 5;
/** Samples cover as many tasks in each case, so that they are long enough to be measured. */
const tasksPerSample = 20_000;
const retryVersion = '7.1.1';

/** An agent that does nothing. */
export class Plain extends Agent {
  constructor(options: object = {}) {
    super('plain', { maxConcurrentTasks: concurrency, maxQueue: Number.POSITIVE_INFINITY, ...options });
  }
  async execute(task: Task): Promise<unknown> {
    return task.parameters.n;
  }
}

const Input = z.object({ n: z.number() });
const pqueue = `p-queue ${version('p-queue')}`;
type Retry = (work: () => Promise<unknown>, options: { retries: number }) => Promise<unknown>;

function agents(options: object): Dispatching['run'] {
  return async (n) => {
    const agent = new Plain(options);
    await each(n, (i) => agent.submit({ type: 't', parameters: { n: i } }, { priority: i % 3 }).result);
  };
}

function queued(options: object, work: (i: number) => () => Promise<unknown>): Dispatching['run'] {
  return async (n) => {
    const queue = new PQueue({ concurrency, ...options });
    await each(n, (i) => queue.add(work(i), { priority: i % 3 }));
  };
}

/** The same work by p-queue, p-retry and zod, put together by hand. */
function sameByHand(): Dispatching[] {
  const retry = peer<{ default: Retry }>('p-retry', retryVersion)?.default;
  if (!retry) return [];
  const run = queued({ timeout: 60_000 }, (i) => {
    const { n } = Input.parse({ n: i });
    return () => retry(async () => n, { retries: 2 });
  });
  return [{ name: `${pqueue}, p-retry ${retryVersion}, zod: priority, timeout, retry, validation`, run }];
}

/** In the order of the table. The first but one is ours with all that the bar asks for, the third is the bar. */
export const dispatching: readonly Dispatching[] = [
  { name: 'Agent: priority', run: agents({}) },
  {
    name: 'Agent: priority, timeout, retry, validation',
    run: agents({ timeoutMs: 60_000, retry: { maxRetries: 2 }, input: Input }),
  },
  { name: `${pqueue}: priority`, run: queued({}, (i) => async () => i) },
  { name: `${pqueue}: priority, timeout`, run: queued({ timeout: 60_000 }, (i) => async () => i) },
  ...sameByHand(),
  {
    name: `fastq ${version('fastq')}: no priority`,
    run: async (n) => {
      const queue = fastq.promise(async (i: number) => i, concurrency);
      await each(n, (i) => queue.push(i));
    },
  },
  {
    name: 'no queue: one promise and one AsyncLocalStorage.run for each task',
    run: (n) => each(n, (i) => new Promise((resolve) => void inContext(i, async () => i).then(resolve))),
  },
];

let store: AsyncLocalStorage<number> | undefined;

/** In one store, made when it is needed: each that was used makes every promise dearer from then on. */
function inContext(i: number, work: () => Promise<number>): Promise<number> {
  store ??= new AsyncLocalStorage();
  return store.run(i, work);
}

/** The one that the others are compared with. */
export const barIndex = 2;

async function each(n: number, add: (i: number) => Promise<unknown>): Promise<void> {
  const results: Promise<unknown>[] = [];
  for (let i = 0; i < n; i++) results.push(add(i));
  await Promise.all(results);
}

/**
 * CPU microseconds for each task, collecting garbage as it comes. A collection that is forced before each sample throws
 * optimised code away with it, and makes every way two to three times as dear as it is in a program that runs.
 */
export async function sample({ run }: Dispatching, n: number): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < tasksPerSample; done += n) await run(n);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / tasksPerSample;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
