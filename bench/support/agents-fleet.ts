import { randomUUID } from 'node:crypto';
import { AgentPool, type AnyAgent } from '@safla/sdk/agents';
import { AgentFleet, AgentWorker } from '@safla/sdk/agents/bullmq';
import { TestContainer } from '@safla/sdk/testing';
import { type JobsOptions, Queue, QueueEvents, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { version } from './version.js';

const tasks = 2_000;
const rounds = 7;
const concurrency = 16;

interface Side {
  readonly name: string;
  /** Does `tasks` tasks from their submission until the last result is known. */
  readonly run: () => Promise<unknown>;
  readonly close: () => Promise<unknown>;
}

interface Spent {
  readonly ours: number;
  readonly redis: number;
}

/**
 * Tasks over one Redis, submitter and worker in this process: CPU of the process and, apart, of redis-server. `bare` stores
 * what BullMQ must store and hears only in the worker that a job is done; `heard` asks of BullMQ what a fleet gives: a
 * priority, an id of the caller's, and each result at the submitter.
 */
export async function compareFleets(makeAgent: () => AnyAgent): Promise<void> {
  await using services = await TestContainer.start({ redis: true });
  const { url, version: redis } = services.redis;
  const probe = new Redis(url);
  const sides = [await fleet(url, makeAgent()), await bullmq(url, 'heard'), await bullmq(url, 'bare')];
  const samples = sides.map((): Spent[] => []);
  for (let round = -2; round < rounds; round++) {
    for (const [index, { run }] of sides.entries()) {
      const spent = await cpuOf(run, probe);
      if (round >= 0) samples[index]?.push(spent);
    }
  }
  console.log(
    `\n${tasks} tasks over Redis ${redis}, ${concurrency} at a time: CPU microseconds per task | of redis-server`,
  );
  for (const [index, { name }] of sides.entries()) {
    const of = (key: keyof Spent): string => median((samples[index] ?? []).map((spent) => spent[key])).toFixed(0);
    console.log(`${of('ours').padStart(8)} | ${of('redis').padStart(5)} | ${name}`);
  }
  for (const side of sides) await side.close();
  probe.disconnect();
}

async function fleet(url: string, agent: AnyAgent): Promise<Side> {
  const queue = randomUUID();
  const agents = new AgentFleet({ url, queue });
  const worker = new AgentWorker(new AgentPool([agent]), { url, queue, concurrency });
  await worker.start();
  return {
    name: 'AgentFleet and AgentWorker',
    run: () =>
      Promise.all(
        Array.from({ length: tasks }, async (_, n) => {
          const { success, error } = await agents.submit({ type: 't', parameters: { n } }, { priority: n % 3 }).result;
          if (!success) throw new Error(error);
        }),
      ),
    close: () => Promise.all([agents.close(), worker.close()]),
  };
}

async function bullmq(url: string, kind: 'bare' | 'heard'): Promise<Side> {
  const name = randomUUID();
  const connection = { url, maxRetriesPerRequest: null };
  const queue = new Queue(name, { connection });
  const worker = new Worker(name, async (job) => job.data.n, { connection, concurrency });
  const events = kind === 'heard' ? new QueueEvents(name, { connection }) : undefined;
  let left = 0;
  let allDone: () => void = () => undefined;
  const onCompleted = (): void => {
    if (--left === 0) allDone();
  };
  if (events) events.on('completed', onCompleted);
  else worker.on('completed', onCompleted);
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady(), events?.waitUntilReady()]);
  return {
    name: `BullMQ ${version('bullmq')}: addBulk and Worker${events ? ', priorities, ids, results by QueueEvents' : ''}`,
    async run() {
      const finished = new Promise<void>((resolve) => {
        left = tasks;
        allDone = resolve;
      });
      const jobs = Array.from({ length: tasks }, (_, n) => {
        const opts: JobsOptions = { removeOnComplete: { age: 3_600 }, removeOnFail: { count: 10_000 } };
        if (events) Object.assign(opts, { jobId: randomUUID(), priority: 10 - (n % 3), attempts: 1 });
        return { name: 't', data: { n }, opts };
      });
      await queue.addBulk(jobs);
      await finished;
    },
    async close() {
      await Promise.all([worker.close(), events?.close(), queue.close()]);
    },
  };
}

async function cpuOf(run: () => Promise<unknown>, probe: Redis): Promise<Spent> {
  globalThis.gc?.();
  const redisBefore = await redisMicros(probe);
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return { ours: (user + system) / tasks, redis: ((await redisMicros(probe)) - redisBefore) / tasks };
}

async function redisMicros(probe: Redis): Promise<number> {
  const text = await probe.info('cpu');
  const seconds = (field: string): number => Number(new RegExp(`^${field}:(\\S+)`, 'm').exec(text)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
