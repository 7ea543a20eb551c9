import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { AgentPool, type TaskEvent } from '@safla/sdk/agents';
import { AgentFleet, AgentWorker, type FleetDeadLetter, type FleetTaskHandle } from '@safla/sdk/agents/bullmq';
import { ClosedError, ConfigurationError, NotFoundError } from '@safla/sdk/core';
import { TestContainer } from '@safla/sdk/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OwnRedis } from './support/own-redis.js';
import { SleepyAgent } from './support/sleepy-agent.js';

let services: TestContainer;
let url: string;

beforeAll(async () => {
  services = await TestContainer.start({ redis: true });
  url = services.redis.url;
});

afterAll(() => services.stop());

/** A fleet and one worker on a queue of their own. */
async function fleetOf(
  options: Partial<ConstructorParameters<typeof AgentFleet>[0]> = {},
  agent: SleepyAgent = new SleepyAgent(),
): Promise<{ fleet: AgentFleet; worker: AgentWorker; agent: SleepyAgent; queue: string } & AsyncDisposable> {
  const queue = `q-${randomUUID()}`;
  const fleet = new AgentFleet({ url, queue, pollMs: 200, ...options });
  const worker = new AgentWorker(new AgentPool([agent]), { url, queue });
  await worker.start();
  return {
    fleet,
    worker,
    agent,
    queue,
    async [Symbol.asyncDispose]() {
      await fleet.close();
      await worker.close({ timeoutMs: 500 });
    },
  };
}

describe('a fleet', () => {
  it('runs a task on a worker and gives its result, as a pool does', async () => {
    await using it = await fleetOf();
    const handle = it.fleet.submit({ type: 'echo', parameters: { n: 1 } });
    await handle.stored;
    await expect(handle.result).resolves.toMatchObject({
      success: true,
      data: { n: 1 },
      metadata: { agent: 'sleepy', state: 'completed', attempts: 1 },
    });
    expect(handle.state).toBe('completed');
    await it.fleet.drain();
    expect(it.fleet.size).toBe(0);
  });

  it('does many tasks, those with a higher priority first', async () => {
    const queue = `q-${randomUUID()}`;
    await using fleet = new AgentFleet({ url, queue });
    const priorities = [0, 5, -3, 5, 1];
    const handles = priorities.map((priority, n) => fleet.submit({ id: `t${n}`, type: 'echo' }, { priority }));
    await Promise.all(handles.map(({ stored }) => stored));
    const agent = new SleepyAgent({ maxConcurrentTasks: 1 });
    await using worker = new AgentWorker(new AgentPool([agent]), { url, queue, concurrency: 1 });
    await worker.start();
    await Promise.all(handles.map(({ result }) => result));
    expect(agent.begun).toEqual(['t1', 't3', 't4', 't0', 't2']);
  });

  it('tells progress and the states of a task', async () => {
    await using it = await fleetOf();
    const seen: TaskEvent[] = [];
    for await (const event of it.fleet.submit({ type: 'echo', parameters: { sleepMs: 20 } }).events) seen.push(event);
    expect(seen.map((event) => (event.type === 'status' ? event.state : event.type))).toEqual([
      'submitted',
      'working',
      'progress',
      'completed',
    ]);
    expect(seen[2]).toMatchObject({ progress: 1, total: 2, message: 'asleep' });
  });

  it('carries a question to the host and the answer to the worker', async () => {
    await using it = await fleetOf();
    const handle = it.fleet.submit({ type: 'echo', parameters: { ask: 'Shall I?' } });
    for await (const event of handle.events) {
      if (event.type === 'status' && event.question) {
        expect(event.question.prompt).toBe('Shall I?');
        await handle.respond('yes');
      }
    }
    await expect(handle.result).resolves.toMatchObject({ success: true, data: { answered: 'yes' } });
  });

  it('tries a retryable failure again, on any worker', async () => {
    await using it = await fleetOf({ attempts: 3, baseDelayMs: 1 });
    const handle = it.fleet.submit({ type: 'echo', parameters: { failTimes: 2 } });
    await expect(handle.result).resolves.toMatchObject({ success: true });
    expect(it.agent.begun).toHaveLength(3);
  });

  it('sets a task aside that failed for good, and does it again when asked', async () => {
    await using it = await fleetOf({ attempts: 3, baseDelayMs: 1 });
    const handle = it.fleet.submit({ id: 'bad', type: 'echo', parameters: { fail: 'no such thing' } });
    const result = await handle.result;
    expect(result).toMatchObject({
      success: false,
      error: 'no such thing',
      metadata: { state: 'failed', agent: 'sleepy' },
    });
    expect(it.agent.begun).toHaveLength(1);
    const letters: FleetDeadLetter[] = [];
    for await (const letter of it.fleet.deadLetters()) letters.push(letter);
    expect(letters).toMatchObject([{ task: { id: 'bad' }, result: { error: 'no such thing' } }]);
    await it.fleet.requeue(letters[0]?.id ?? '');
    await vi.waitFor(() => expect(it.agent.begun).toHaveLength(2));
    await expect(it.fleet.requeue('nothing')).rejects.toBeInstanceOf(NotFoundError);
  });

  it('rejects what no agent of the worker can do', async () => {
    await using it = await fleetOf();
    const handle = it.fleet.submit({ type: 'echo', capability: 'magic' });
    await expect(handle.result).resolves.toMatchObject({
      success: false,
      metadata: { state: 'rejected', code: 'TASK_REJECTED' },
    });
  });

  it('finds a finished task again by its idempotency key, also from another process', async () => {
    await using it = await fleetOf();
    const first = it.fleet.submit({ type: 'echo', parameters: { n: 7 } }, { idempotencyKey: 'order:7' });
    await first.result;
    await using later = new AgentFleet({ url, queue: it.queue, pollMs: 200 });
    const again = later.submit({ type: 'echo', parameters: { n: 7 } }, { idempotencyKey: 'order:7' });
    await expect(again.result).resolves.toMatchObject({ success: true, data: { n: 7 } });
    expect(it.agent.begun).toHaveLength(1);
  });
});

describe('canceling over Redis', () => {
  it('takes a queued task out of the queue', async () => {
    await using fleet = new AgentFleet({ url, queue: `q-${randomUUID()}`, pollMs: 200 });
    const handle = fleet.submit({ type: 'echo' });
    await handle.stored;
    handle.cancel('changed my mind');
    await expect(handle.result).resolves.toMatchObject({ success: false, metadata: { state: 'canceled' } });
    await fleet.drain({ timeoutMs: 20_000 });
  });

  it('reaches a running task', async () => {
    await using it = await fleetOf();
    const handle = it.fleet.submit({ type: 'echo', parameters: { sleepMs: 60_000 } });
    await vi.waitFor(() => expect(it.agent.begun).toHaveLength(1), 20_000);
    handle.cancel();
    await expect(handle.result).resolves.toMatchObject({ metadata: { state: 'canceled' } });
    await it.fleet.drain({ timeoutMs: 20_000 });
    await vi.waitFor(() => expect(it.worker.running).toBe(0));
    expect(it.agent.status).toBe('idle');
  });

  it('ends a task between attempts, and one that a signal or its time ends', async () => {
    await using it = await fleetOf({ attempts: 5, baseDelayMs: 60_000 });
    const retrying = it.fleet.submit({ type: 'echo', parameters: { failTimes: 4 } });
    await vi.waitFor(() => expect(it.agent.begun).toHaveLength(1), 20_000);
    const controller = new AbortController();
    const aborted = it.fleet.submit({ type: 'echo', parameters: { sleepMs: 60_000 } }, { signal: controller.signal });
    const late = it.fleet.submit({ type: 'echo', parameters: { sleepMs: 60_000 } }, { timeoutMs: 300 });
    await vi.waitFor(() => expect(it.worker.running).toBeGreaterThan(0), 20_000);
    retrying.cancel();
    controller.abort(new Error('user left'));
    await expect(aborted.result).resolves.toMatchObject({ error: 'user left', metadata: { state: 'canceled' } });
    await expect(late.result).resolves.toMatchObject({ metadata: { state: 'failed', code: 'TIMEOUT' } });
    await expect(retrying.result).resolves.toMatchObject({ metadata: { state: 'canceled' } });
    await it.fleet.drain({ timeoutMs: 20_000 });
    await vi.waitFor(() => expect(it.worker.running).toBe(0), 20_000);
  });
});

describe('a worker', () => {
  it('gives its tasks to others when it is closed', async () => {
    await using it = await fleetOf();
    const handle = it.fleet.submit({ type: 'echo', parameters: { sleepMs: 3_000, n: 1 } });
    await vi.waitFor(() => expect(it.agent.begun).toHaveLength(1), 20_000);
    await it.worker.close({ timeoutMs: 1_500 });
    const agent = new SleepyAgent();
    await using other = new AgentWorker(new AgentPool([agent]), { url, queue: it.queue });
    await other.start();
    await expect(handle.result).resolves.toMatchObject({ success: true, data: { n: 1 } });
    expect(agent.begun).toHaveLength(1);
    await expect(it.worker.start()).rejects.toBeInstanceOf(ClosedError);
  });

  it('loses nothing when it is killed', async () => {
    const queue = `q-${randomUUID()}`;
    await using fleet = new AgentFleet({ url, queue, pollMs: 500 });
    const first = await workerProcess(queue);
    const handles = Array.from({ length: 20 }, (_, n) =>
      fleet.submit({ id: `k${n}`, type: 'echo', parameters: { n, sleepMs: 200 } }),
    );
    await vi.waitFor(() => expect(handles.some(({ state }) => state === 'completed')).toBe(true), 25_000);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const second = await workerProcess(queue);
    try {
      const results = await Promise.all(handles.map(({ result }) => result));
      expect(results.map(({ success }) => success)).toEqual(handles.map(() => true));
      expect(results.map(({ data }) => (data as { n: number }).n)).toEqual(handles.map((_, n) => n));
    } finally {
      second.kill('SIGKILL');
    }
  }, 90_000);
});

describe('a Redis that is killed and comes back', () => {
  it('loses no task: not those that ran, not those that waited, were on their way, or came while it was away', async () => {
    await using redis = await OwnRedis.start();
    const where = { url: redis.url, queue: `q-${randomUUID()}` };
    await using fleet = new AgentFleet({ ...where, pollMs: 300 });
    const agent = new SleepyAgent();
    await using worker = new AgentWorker(new AgentPool([agent]), { ...where, concurrency: 4, deadAfterMs: 2_000 });
    await worker.start();
    const submit = (id: string): FleetTaskHandle =>
      fleet.submit({ id, type: 'echo', parameters: { id, sleepMs: 100 } });
    const before = Array.from({ length: 40 }, (_, n) => submit(`before-${n}`));
    await Promise.all(before.map(({ stored }) => stored));
    await vi.waitFor(() => expect(before.some(({ state }) => state === 'completed')).toBe(true), 25_000);
    const onTheirWay = Array.from({ length: 10 }, (_, n) => submit(`on-its-way-${n}`));
    await new Promise((resolve) => setImmediate(resolve));
    await redis.kill();
    const unfinished = before.filter(({ state }) => state !== 'completed');
    expect(unfinished.length).toBeGreaterThan(0);
    const meanwhile = Array.from({ length: 10 }, (_, n) => submit(`meanwhile-${n}`));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(meanwhile.map(({ state }) => state)).toEqual(meanwhile.map(() => 'submitted'));
    await redis.start();
    const handles = [...before, ...onTheirWay, ...meanwhile, submit('after')];
    const results = await Promise.all(handles.map(({ result }) => result));
    expect(results.map(({ success, error, data }) => error ?? (success && (data as { id: string }).id))).toEqual(
      handles.map(({ id }) => id),
    );
    await fleet.drain({ timeoutMs: 30_000 });
    expect(fleet.size).toBe(0);
  }, 120_000);
});

describe("a client of the host's", () => {
  it('serves fleet and worker, and stays open when they are closed', async () => {
    const client = new Redis(url, { maxRetriesPerRequest: null });
    try {
      const queue = `q-${randomUUID()}`;
      const fleet = new AgentFleet({ client, queue, pollMs: 200 });
      const worker = new AgentWorker(new AgentPool([new SleepyAgent()]), { client, queue });
      await worker.start();
      const done = fleet.submit({ type: 'echo', parameters: { n: 1 } });
      await expect(done.result).resolves.toMatchObject({ success: true, data: { n: 1 } });
      const running = fleet.submit({ type: 'echo', parameters: { sleepMs: 60_000 } });
      await vi.waitFor(() => expect(worker.running).toBe(1), 20_000);
      running.cancel();
      await vi.waitFor(() => expect(worker.running).toBe(0), 20_000);
      await fleet.close();
      await worker.close({ timeoutMs: 2_000 });
      await expect(client.ping()).resolves.toBe('PONG');
    } finally {
      client.disconnect();
    }
  });
});

describe('wrong settings', () => {
  it('are refused where they are given', () => {
    expect(() => new AgentFleet({})).toThrow(ConfigurationError);
    expect(() => new AgentFleet({ url: 'http://x' })).toThrow(ConfigurationError);
    expect(() => new AgentFleet({ url, queue: 'a:b' })).toThrow('AgentFleet.queue may not have a colon');
    expect(() => new AgentWorker({} as never, { url })).toThrow(ConfigurationError);
  });

  it('end in the result when Redis cannot be reached', async () => {
    await using fleet = new AgentFleet({ url: 'redis://:canary-secret@127.0.0.1:1' });
    const result = await fleet.submit({ type: 'echo' }, { timeoutMs: 300 }).result;
    expect(result).toMatchObject({ success: false, metadata: { state: 'failed', code: 'TIMEOUT' } });
    expect(JSON.stringify(result)).not.toContain('canary');
  });
});

async function workerProcess(queue: string): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('./support/worker-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', file, url, queue], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}
