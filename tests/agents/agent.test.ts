import { getEventListeners } from 'node:events';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import {
  Agent,
  AgentCapabilities,
  type AgentOptions,
  type AgentStatus,
  type Task,
  type TaskContext,
  type TaskResult,
} from '@safla/sdk/agents';
import {
  ClosedError,
  ConfigurationError,
  ConnectionError,
  currentContext,
  NotFoundError,
  ValidationError,
} from '@safla/sdk/core';
import { ManualClock } from '@safla/sdk/testing';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { HeldMetrics } from '../support/metrics.js';

type Work = (task: Task, context: TaskContext) => unknown;

/** An agent that does what a test says. */
class Fake extends Agent {
  readonly #work: Work;

  constructor(work: Work, options: AgentOptions = {}) {
    super('fake', options);
    this.#work = work;
  }

  execute(task: Task, context: TaskContext): unknown {
    return this.#work(task, context);
  }
}

const never = (): Promise<never> => new Promise(() => undefined);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a submitted task', () => {
  it('resolves with what execute returned, and how it came to be', async () => {
    class Doubler extends Agent<{ n: number }, number> {
      constructor() {
        super('doubler', { capabilities: [AgentCapabilities.DATA_ANALYSIS, 'of my own'] });
      }

      override execute({ parameters: { n } }: Task<{ n: number }>): number {
        return n * 2;
      }
    }
    await using agent = new Doubler();
    const handle = agent.submit({ type: 'double', parameters: { n: 21 } });
    expect(handle.state).toBe('submitted');
    expect(agent.status).toBe('processing');
    const result: TaskResult<number> = await handle.result;
    expect(result).toMatchObject({
      success: true,
      data: 42,
      metadata: { agent: 'doubler', state: 'completed', attempts: 1 },
    });
    expect(result.metadata.processingTime).toBeGreaterThanOrEqual(0);
    expect(handle.state).toBe('completed');
    expect(agent.status).toBe('idle');
  });

  it('never runs inside of submit', async () => {
    let ran = false;
    await using agent = new Fake(() => {
      ran = true;
    });
    const { result } = agent.submit({ type: 't' });
    expect(ran).toBe(false);
    await result;
    expect(ran).toBe(true);
  });

  it('runs in order of priority, equal ones in order of arrival, within the limit', async () => {
    const order: unknown[] = [];
    let running = 0;
    let most = 0;
    const work: Work = async ({ parameters }) => {
      order.push(parameters.n);
      most = Math.max(most, ++running);
      await turn();
      running -= 1;
    };
    await using one = new Fake(work);
    const submit = (agent: Agent): Promise<unknown> =>
      Promise.all(
        [0, 5, 1, 5, -1].map((priority, n) => agent.submit({ type: 't', parameters: { n }, priority }).result),
      );
    await submit(one);
    expect(order).toEqual([1, 3, 2, 0, 4]);
    expect(most).toBe(1);
    await using three = new Fake(work, { maxConcurrentTasks: 3 });
    await submit(three);
    expect(most).toBe(3);
  });

  it('lets a priority given to submit overrule that of the task', async () => {
    const order: string[] = [];
    await using agent = new Fake(({ id }) => void order.push(id));
    const a = agent.submit({ id: 'a', type: 't', priority: 9 }, { priority: 0 });
    const b = agent.submit({ id: 'b', type: 't' }, { priority: 1 });
    await Promise.all([a.result, b.result]);
    expect(order).toEqual(['b', 'a']);
  });

  it('takes a TaskResult as it is, and anything else as data', async () => {
    const answers = [
      { success: true, data: 1, metadata: { cost: 3 } },
      { success: false, error: 'no' },
      { success: true, data: 1, other: 2 },
      undefined,
    ];
    await using agent = new Fake(({ parameters }) => answers[parameters.n as number]);
    const results = await Promise.all(answers.map((_, n) => agent.submit({ type: 't', parameters: { n } }).result));
    expect(results).toMatchObject([
      { success: true, data: 1, metadata: { cost: 3, state: 'completed' } },
      { success: false, error: 'no', metadata: { state: 'failed' } },
      { success: true, data: { success: true, data: 1, other: 2 } },
      { success: true, metadata: { state: 'completed' } },
    ]);
  });

  it('tells all its events, also to who comes late, each at its own pace', async () => {
    await using agent = new Fake((_, context) => {
      context.progress(0.5);
      context.progress({ progress: 2, total: 3, message: 'soon' });
      context.output('half');
      return 'whole';
    });
    const handle = agent.submit({ type: 't' });
    const live = kinds(handle.events);
    await handle.result;
    const expected = ['submitted', 'working', 'progress', 'progress', 'output', 'completed'];
    await expect(live).resolves.toEqual(expected);
    await expect(kinds(handle.events)).resolves.toEqual(expected);
  });

  it('keeps the last thousand events and says how many it dropped', async () => {
    await using agent = new Fake((_, context) => {
      for (let n = 1; n <= 5_000; n++) context.progress(n);
    });
    const handle = agent.submit({ type: 't' });
    await handle.result;
    const events: { type: string; count?: number }[] = [];
    for await (const event of handle.events) events.push(event);
    expect(events).toHaveLength(1_001);
    expect(events[0]).toEqual({ type: 'dropped', count: 5_003 - 1_000 });
    expect(events.at(-1)).toMatchObject({ type: 'status', state: 'completed' });
  });

  it('works in a context of its own: its id as correlation id, its end for everything it awaits', async () => {
    let inner: Promise<unknown> = Promise.resolve();
    const child = new Fake(never);
    await using agent = new Fake(async ({ id }) => {
      expect(currentContext().correlationId).toBe(id);
      inner = child.submit({ type: 't' }).result;
      await inner;
    });
    const handle = agent.submit({ type: 't' });
    await turn();
    handle.cancel();
    await expect(inner).resolves.toMatchObject({ metadata: { state: 'canceled' } });
  });
});

describe('checks', () => {
  const Input = z.object({ n: z.number(), unit: z.string().default('m') });

  it('gives execute what the input schema made, and rejects what it refuses before it is queued', async () => {
    await using agent = new Fake(({ parameters }) => parameters, { input: Input });
    const good = agent.submit({ type: 't', parameters: { n: 1 } });
    const bad = agent.submit({ type: 't', parameters: { n: 'x' } });
    expect(bad.state).toBe('rejected');
    await expect(good.result).resolves.toMatchObject({ data: { n: 1, unit: 'm' } });
    const result = await bad.result;
    expect(result).toMatchObject({ success: false, metadata: { state: 'rejected', code: 'VALIDATION', attempts: 0 } });
    expect(result.error).toContain('n:');
  });

  it('can wait for an asynchronous schema', async () => {
    const slow = Input.refine(async ({ n }) => n > 0, 'must be above 0');
    await using agent = new Fake(({ parameters }) => parameters.n, { input: slow });
    const results = [1, -1, 2].map((n) => agent.submit({ type: 't', parameters: { n } }).result);
    await expect(Promise.all(results)).resolves.toMatchObject([
      { data: 1 },
      { metadata: { state: 'rejected' } },
      { data: 2 },
    ]);
  });

  it('makes a task fail whose data does not match the output schema', async () => {
    await using agent = new Fake(({ parameters }) => parameters.made, { output: z.number() });
    const results = [1, 'x', { success: true, data: 2 }, { success: true, data: 'y' }].map(
      (made) => agent.submit({ type: 't', parameters: { made } }).result,
    );
    await expect(Promise.all(results)).resolves.toMatchObject([
      { success: true, data: 1 },
      { success: false, metadata: { state: 'failed', code: 'VALIDATION' } },
      { success: true, data: 2 },
      { success: false, metadata: { state: 'failed', code: 'VALIDATION' } },
    ]);
  });

  it('asks canHandle before it queues', async () => {
    class Picky extends Fake {
      override async canHandle({ type }: Task): Promise<boolean> {
        if (type === 'broken') throw new Error('cannot say');
        return type === 'mine';
      }
    }
    await using agent = new Picky(() => 1);
    const results = ['mine', 'yours', 'broken'].map((type) => agent.submit({ type }).result);
    await expect(Promise.all(results)).resolves.toMatchObject([
      { success: true },
      { error: expect.stringContaining('does not handle'), metadata: { state: 'rejected', code: 'TASK_REJECTED' } },
      { error: 'cannot say', metadata: { state: 'rejected' } },
    ]);
  });

  it.each([
    ['no object', undefined],
    ['no type', {}],
    ['an empty type', { type: '' }],
    ['a priority that is NaN', { type: 't', priority: Number.NaN }],
    ['an id that is no text', { type: 't', id: 7 }],
    ['a time that is none', { type: 't', createdAt: 'now' }],
  ])('refuses %s as a task', async (_, task) => {
    await using agent = new Fake(() => 1);
    expect(() => agent.submit(task as never)).toThrow(ValidationError);
  });

  it('refuses wrong options of submit and of the agent', async () => {
    await using agent = new Fake(() => 1);
    expect(() => agent.submit({ type: 't' }, { priority: Number.NaN })).toThrow(ConfigurationError);
    expect(() => agent.submit({ type: 't' }, { timeoutMs: -1 })).toThrow(ConfigurationError);
    expect(() => agent.submit({ type: 't' }, { priorty: 1 } as never)).toThrow("did you mean 'priority'?");
    expect(() => new Fake(() => 1, { maxConcurrentTasks: 0 })).toThrow(ConfigurationError);
    expect(() => new Fake(() => 1, { priority: Number.NaN })).toThrow(ConfigurationError);
    expect(() => new Fake(() => 1, { input: {} as never })).toThrow('Standard Schema');
    expect(() => new Fake(() => 1, { retrys: 3 } as never)).toThrow("did you mean 'retry'?");
  });
});

describe('failures', () => {
  it.each([
    ['an error', new TypeError('wrong'), 'wrong', 'TypeError'],
    ['a text', 'just text', 'just text', 'string'],
    ['undefined', undefined, 'undefined', 'undefined'],
    ['null', null, 'null', 'null'],
    ['an object without a prototype', Object.create(null), 'an error that cannot be described', 'object'],
  ])('are told when execute throws %s', async (_, thrown, error, failureReason) => {
    await using agent = new Fake(async () => {
      throw thrown;
    });
    await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({
      success: false,
      error,
      metadata: { state: 'failed', failureReason, attempts: 1 },
    });
  });

  it('survive what throws when it is looked at', async () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    await using agent = new Fake(({ parameters }) => {
      if (parameters.throws) throw revoked.proxy;
      return revoked.proxy;
    });
    await expect(agent.submit({ type: 't', parameters: { throws: true } }).result).resolves.toMatchObject({
      success: false,
    });
    await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({ success: false });
  });

  it('are masked', async () => {
    await using agent = new Fake(() => {
      throw new Error('GET https://user:canary-secret@host/ failed');
    });
    expect(JSON.stringify(await agent.submit({ type: 't' }).result)).not.toContain('canary-secret');
  });

  it('are tried again when they are retryable and the agent says so', async () => {
    let calls = 0;
    const work: Work = (_, { attempt }) => {
      calls += 1;
      if (attempt < 3) throw new ConnectionError('broken');
      return attempt;
    };
    await using plain = new Fake(work);
    await expect(plain.submit({ type: 't' }).result).resolves.toMatchObject({
      success: false,
      metadata: { retryable: true },
    });
    expect(calls).toBe(1);
    await using stubborn = new Fake(work, { retry: { maxRetries: 3, baseDelayMs: 1 } });
    const handle = stubborn.submit({ type: 't' });
    await expect(handle.result).resolves.toMatchObject({ data: 3, metadata: { attempts: 3 } });
    await expect(kinds(handle.events)).resolves.toEqual(['submitted', 'working', 'retry', 'retry', 'completed']);
  });

  it('are not tried again when they are not retryable', async () => {
    await using agent = new Fake(
      () => {
        throw new Error('a bug');
      },
      { retry: { maxRetries: 3, baseDelayMs: 1 } },
    );
    await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({ metadata: { attempts: 1 } });
  });

  it('of listeners do not reach the agent', async () => {
    await using agent = new Fake(() => 1);
    agent.on('status', () => {
      throw new Error('listener');
    });
    await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({ success: true });
  });
});

describe('time', () => {
  it('ends a task that never settles, and its place is free', async () => {
    const clock = new ManualClock();
    await using agent = new Fake(({ type }) => (type === 'stuck' ? never() : type), { timeoutMs: 1_000, clock });
    const stuck = agent.submit({ type: 'stuck' });
    const next = agent.submit({ type: 'next' });
    await clock.advance(999);
    expect(stuck.state).toBe('working');
    await clock.advance(1);
    await expect(stuck.result).resolves.toMatchObject({
      success: false,
      error: expect.stringContaining('1000 ms'),
      metadata: { state: 'failed', code: 'TIMEOUT', processingTime: 1_000 },
    });
    await expect(next.result).resolves.toMatchObject({ data: 'next' });
    expect(clock.pending).toBe(0);
  });

  it('leaves pauses and retries as long as they are', async () => {
    const clock = new ManualClock();
    const work: Work = async ({ type }, { attempt, sleep }) => {
      if (type === 'sleep') await sleep(400);
      else if (attempt === 1) throw new ConnectionError('once');
      return 'done';
    };
    const retry = { maxRetries: 1, baseDelayMs: 400, random: () => 1 };
    await using agent = new Fake(work, { timeoutMs: 1_000, clock, retry, maxConcurrentTasks: 2 });
    const handles = ['sleep', 'retry'].map((type) => agent.submit({ type }));
    await clock.advance(399);
    expect(handles.map(({ state }) => state)).toEqual(['working', 'working']);
    await clock.advance(1);
    expect(handles.map(({ state }) => state)).toEqual(['completed', 'completed']);
    expect(clock.pending).toBe(0);
  });

  it('watches each task from its own start', async () => {
    const clock = new ManualClock();
    await using agent = new Fake(never, { timeoutMs: 1_000, clock, maxConcurrentTasks: 2 });
    const first = agent.submit({ type: 't' });
    await clock.advance(600);
    const second = agent.submit({ type: 't' });
    await clock.advance(400);
    expect([first.state, second.state]).toEqual(['failed', 'working']);
    await clock.advance(600);
    expect(second.state).toBe('failed');
  });

  it('given to submit counts from there, waiting included', async () => {
    await using agent = new Fake(never);
    agent.submit({ type: 't' });
    const queued = agent.submit({ type: 't' }, { timeoutMs: 20 });
    await expect(queued.result).resolves.toMatchObject({ metadata: { state: 'failed', code: 'TIMEOUT', attempts: 0 } });
    await agent.close({ timeoutMs: 0 });
  });

  it('that is over aborts the signal and gives inner calls what is left', async () => {
    let remaining = 0;
    let reason: unknown;
    await using agent = new Fake(
      async (_, { signal }) => {
        remaining = currentContext().remainingMs;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        reason = signal.reason;
      },
      { timeoutMs: 30 },
    );
    await agent.submit({ type: 't' }).result;
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(30);
    await vi.waitFor(() => expect(reason).toMatchObject({ code: 'TIMEOUT' }));
  });
});

describe('canceling', () => {
  it('reaches a task that is queued, running, asleep, between attempts, and waiting for a person', async () => {
    const seen: unknown[] = [];
    const work: Work = async ({ type }, context) => {
      if (type === 'running') {
        await new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)));
      }
      if (type === 'asleep') await context.sleep(60_000);
      if (type === 'asking') await context.ask('?');
      throw new ConnectionError('again');
    };
    await using agent = new Fake(work, {
      maxConcurrentTasks: 10,
      retry: { maxRetries: 5, baseDelayMs: 60_000, maxDelayMs: 60_000, random: () => 1 },
    });
    await using busy = new Fake(never);
    busy.submit({ type: 'first' });
    const handles = [
      busy.submit({ type: 'queued' }),
      ...['running', 'asleep', 'asking', 'retrying'].map((type) => agent.submit({ type })),
    ];
    await turn();
    await turn();
    expect(handles.map(({ state }) => state)).toEqual(['submitted', 'working', 'working', 'input-required', 'working']);
    for (const handle of handles) {
      handle.cancel('enough');
      seen.push(handle.state);
    }
    expect(seen).toEqual(Array(5).fill('canceled'));
    for (const { result } of handles) {
      await expect(result).resolves.toMatchObject({
        error: expect.stringContaining('was canceled: enough'),
        metadata: { state: 'canceled', code: 'TASK_CANCELED' },
      });
    }
    expect(agent.status).toBe('idle');
    await busy.close({ timeoutMs: 0 });
  });

  it('with a signal rejects nothing and keeps its reason', async () => {
    await using agent = new Fake(never);
    const controller = new AbortController();
    const handle = agent.submit({ type: 't' }, { signal: controller.signal });
    const gone = agent.submit({ type: 't' }, { signal: AbortSignal.abort(new Error('before')) });
    await turn();
    controller.abort(new Error('user left'));
    await expect(handle.result).resolves.toMatchObject({ error: 'user left', metadata: { state: 'canceled' } });
    await expect(gone.result).resolves.toMatchObject({ error: 'before', metadata: { state: 'canceled', attempts: 0 } });
  });

  it('before the task was submitted takes no place and holds up nobody', async () => {
    const work = vi.fn(() => 'done');
    const variants: AgentOptions[] = [{}, { input: z.looseObject({}) }, { timeoutMs: 60_000 }];
    for (const options of variants) {
      await using agent = new Fake(work, options);
      const signal = AbortSignal.abort(new Error('too late'));
      const results = Array.from({ length: 3 }, () => agent.submit({ type: 't' }, { signal }).result);
      expect((await Promise.all(results)).map(({ metadata }) => metadata.state)).toEqual(Array(3).fill('canceled'));
      await turn();
      expect({ running: agent.running, queued: agent.queued, status: agent.status }).toEqual({
        running: 0,
        queued: 0,
        status: 'idle',
      });
      expect(work).not.toHaveBeenCalled();
    }
    await using agent = new Fake(work);
    agent.submit({ type: 't' }, { signal: AbortSignal.abort() });
    await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({ data: 'done' });
  });

  it('is final: a late result changes nothing', async () => {
    let finish: (value: unknown) => void = () => undefined;
    await using agent = new Fake(() => new Promise((resolve) => (finish = resolve)));
    const handle = agent.submit({ type: 't' });
    await turn();
    handle.cancel();
    finish('late');
    await turn();
    expect(handle.state).toBe('canceled');
    await expect(kinds(handle.events)).resolves.toEqual(['submitted', 'working', 'canceled']);
  });

  it('leaves no listener on a signal that 100,000 tasks shared, and frees their places at once', async () => {
    await using agent = new Fake(({ type }) => (type === 'stuck' ? never() : type), {
      maxQueue: Number.POSITIVE_INFINITY,
    });
    agent.submit({ type: 'stuck' });
    await turn();
    const controller = new AbortController();
    const handles = Array.from({ length: 100_000 }, (_, n) =>
      agent.submit({ type: 't' }, { signal: controller.signal, priority: n % 7 }),
    );
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    expect(agent.queued).toBe(100_000);
    controller.abort(new Error('all of you'));
    expect(agent.queued).toBe(0);
    expect(handles.every(({ state }) => state === 'canceled')).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    await agent.close({ timeoutMs: 0 });
  });

  it('leaves no listener after tasks that ended by themselves', async () => {
    await using agent = new Fake((_, { signal }) => signal.aborted, { maxQueue: 2_000 });
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 1_000 }, () => agent.submit({ type: 't' }, { signal }).result));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('a question', () => {
  it('waits for the answer, checked by its schema, and gives its place to others meanwhile', async () => {
    await using agent = new Fake(async ({ type }, context) =>
      type === 'ask' ? context.ask({ text: 'How many?' }, { schema: z.number().int() }) : type,
    );
    const asking = agent.submit({ type: 'ask' });
    const other = agent.submit({ type: 'other' });
    await expect(other.result).resolves.toMatchObject({ data: 'other' });
    expect(asking.state).toBe('input-required');
    await expect(asking.respond('many')).rejects.toBeInstanceOf(ValidationError);
    expect(asking.state).toBe('input-required');
    await asking.respond(3);
    await expect(asking.result).resolves.toMatchObject({ data: 3 });
    await expect(asking.respond(4)).rejects.toBeInstanceOf(NotFoundError);
    await expect(kinds(asking.events)).resolves.toEqual([
      'submitted',
      'working',
      'input-required',
      'working',
      'completed',
    ]);
  });

  it('can be one of several, answered by id or in order', async () => {
    await using agent = new Fake(async (_, context) => Promise.all([context.ask('a'), context.ask('b')]));
    const handle = agent.submit({ type: 't' });
    await turn();
    await handle.respond('B', { questionId: '2' });
    expect(handle.state).toBe('input-required');
    await handle.respond('A');
    await expect(handle.result).resolves.toMatchObject({ data: ['A', 'B'] });
  });

  it('ends by its own time, and the task can go on', async () => {
    await using agent = new Fake(async (_, context) => context.ask('?', { timeoutMs: 10 }).catch(() => 'nobody'));
    await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({ data: 'nobody' });
  });
});

describe('a question that comes too late', () => {
  it('is refused: its task has completed, and nobody can answer', async () => {
    let later: Promise<unknown> | undefined;
    await using agent = new Fake((_, { ask }) => {
      later = turn().then(() => ask('?'));
      later.catch(() => undefined);
      return 'done';
    });
    await agent.submit({ type: 't' }).result;
    await expect(later).rejects.toBeInstanceOf(ClosedError);
  });
});

describe('idempotency', () => {
  it('lets a second submit with the same key join the first, running or completed', async () => {
    let calls = 0;
    await using agent = new Fake(async () => {
      await turn();
      return ++calls;
    });
    const key = { idempotencyKey: 'order-1' };
    const first = agent.submit({ type: 't' }, key);
    const second = agent.submit({ type: 't' }, key);
    await expect(Promise.all([first.result, second.result])).resolves.toMatchObject([{ data: 1 }, { data: 1 }]);
    await expect(agent.submit({ type: 't' }, key).result).resolves.toMatchObject({ data: 1 });
    expect(() => agent.submit({ type: 'other' }, key)).toThrow(ValidationError);
    await expect(agent.submit({ type: 't' }, { idempotencyKey: 'order-2' }).result).resolves.toMatchObject({ data: 2 });
  });

  it('forgets a task that did not complete', async () => {
    let calls = 0;
    await using agent = new Fake(() => {
      calls += 1;
      if (calls === 1) throw new Error('once');
      return calls;
    });
    const key = { idempotencyKey: 'k' };
    await agent.submit({ type: 't' }, key).result;
    await expect(agent.submit({ type: 't' }, key).result).resolves.toMatchObject({ data: 2 });
  });

  it('ends only the waiting of a caller who joined and left', async () => {
    let finish: (value: unknown) => void = () => undefined;
    await using agent = new Fake(() => new Promise((resolve) => (finish = resolve)));
    const first = agent.submit({ type: 't' }, { idempotencyKey: 'k' });
    const controller = new AbortController();
    const second = agent.submit({ type: 't' }, { idempotencyKey: 'k', signal: controller.signal });
    await turn();
    controller.abort(new Error('left'));
    await expect(second.result).resolves.toMatchObject({ success: false, error: 'left' });
    finish('done');
    await expect(first.result).resolves.toMatchObject({ data: 'done' });
  });
});

describe('a full queue', () => {
  it('rejects, and says so', async () => {
    await using agent = new Fake(never, { maxQueue: 1 });
    agent.submit({ type: 't' });
    agent.submit({ type: 't' });
    const third = agent.submit({ type: 't' });
    await expect(third.result).resolves.toMatchObject({
      metadata: { state: 'rejected', code: 'QUEUE_FULL', retryable: true },
    });
    await agent.close({ timeoutMs: 0 });
  });
});

describe('status', () => {
  it('follows what runs, and can be reported by execute itself', async () => {
    const seen: AgentStatus[] = [];
    class Guide extends Agent {
      async execute(task: Task): Promise<TaskResult> {
        this.updateStatus('processing');
        this.updateStatus('completed');
        return { success: true, data: task.type, metadata: { agent: this.id } };
      }
    }
    await using agent = new Guide('guide');
    agent.on('status', (status) => seen.push(status));
    await expect(agent.execute({ id: '1', type: 'direct', parameters: {}, createdAt: 0 })).resolves.toMatchObject({
      data: 'direct',
    });
    expect(agent.status).toBe('completed');
    await agent.submit({ type: 't' }).result;
    expect(agent.status).toBe('idle');
    expect(seen).toEqual(['processing', 'completed', 'processing', 'processing', 'completed', 'idle']);
    await agent.close();
    expect(agent.status).toBe('closed');
  });

  it('tells each state of each task to who listens at the agent', async () => {
    await using agent = new Fake(() => 1);
    const seen: string[] = [];
    agent.on('task', ({ task, state }) => seen.push(`${task.type} ${state}`));
    await agent.submit({ type: 't' }).result;
    expect(seen).toEqual(['t working', 't completed']);
  });
});

describe('the end', () => {
  it('drains: takes nothing more, finishes everything', async () => {
    await using agent = new Fake(async () => turn());
    const handles = [1, 2, 3].map(() => agent.submit({ type: 't' }));
    const drained = agent.drain();
    expect(agent.status).toBe('draining');
    expect(() => agent.submit({ type: 't' })).toThrow(new ClosedError("Agent 'fake' drains: its queue"));
    await drained;
    expect(handles.map(({ state }) => state)).toEqual(['completed', 'completed', 'completed']);
  });

  it.each([{ timeoutMs: 200 }, { graceMs: 160 }])(
    'cancels what has not begun, lets the rest finish, and cancels it in time, by %o',
    async (time) => {
      let finish: (value: unknown) => void = () => undefined;
      const agent = new Fake(
        ({ type }) => (type === 'stuck' ? never() : new Promise((resolve) => (finish = resolve))),
        {
          maxConcurrentTasks: 2,
        },
      );
      const [stuck, quick, queued] = ['stuck', 'quick', 'queued'].map((type) => agent.submit({ type }));
      await turn();
      const closed = agent.close(time);
      expect(queued?.state).toBe('canceled');
      finish('done');
      await expect(quick?.result).resolves.toMatchObject({ data: 'done' });
      await closed;
      await expect(stuck?.result).resolves.toMatchObject({ metadata: { state: 'canceled', code: 'CLOSED' } });
      expect(() => agent.submit({ type: 't' })).toThrow(ClosedError);
      await agent.close();
    },
  );

  it.each([{ graceMs: -1 }, { graceMs: Number.NaN }, { graceMs: 1, timeoutMs: 1 }])(
    'refuses %o and stays open',
    async (time) => {
      const agent = new Fake(() => 1);
      await expect(agent.close(time)).rejects.toThrow(ConfigurationError);
      await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({ success: true });
      await agent.close({ graceMs: 0 });
    },
  );
});

describe('tools and memory', () => {
  it('are called by name, functions and hosts alike, and end with the task', async () => {
    let aborted = false;
    await using agent = new Fake(({ type }, { tools }) => tools.callTool(type, { n: 2 }), {
      maxConcurrentTasks: 3,
      tools: {
        double: ({ n }) => Number(n) * 2,
        hang: (_, { signal }) => {
          signal.addEventListener('abort', () => (aborted = true));
          return never();
        },
      },
    });
    const hanging = agent.submit({ type: 'hang' });
    await expect(agent.submit({ type: 'double' }).result).resolves.toMatchObject({ data: 4 });
    await expect(agent.submit({ type: 'duble' }).result).resolves.toMatchObject({
      error: expect.stringContaining("did you mean 'double'?"),
    });
    hanging.cancel();
    await hanging.result;
    expect(aborted).toBe(true);
    const host = { callTool: async (name: string) => `called ${name}` };
    await using hosted = new Fake((_, { tools }) => tools.callTool('x'), { tools: host });
    await expect(hosted.submit({ type: 't' }).result).resolves.toMatchObject({ data: 'called x' });
  });

  it('are named when they are missing', async () => {
    await using agent = new Fake((_, context) => context.memory);
    await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({
      error: expect.stringContaining("has no memory: give it the option 'memory'"),
    });
  });

  it('are refused when they cannot be called', () => {
    expect(() => new Fake(never, { tools: { sum: 5 as never } })).toThrow(
      'Agent.tools.sum must be a function; Agent.tools are functions by name, or something with callTool',
    );
  });

  it('refuse pauses and progress that are no numbers', async () => {
    await using agent = new Fake(({ type }, { sleep, progress }) =>
      type === 'sleep' ? sleep(Number.NaN) : progress(Number.NaN),
    );
    await expect(agent.submit({ type: 'sleep' }).result).resolves.toMatchObject({
      error: 'sleep takes milliseconds, 0 or more, got NaN',
    });
    await expect(agent.submit({ type: 'progress' }).result).resolves.toMatchObject({
      error: 'progress: must be a number, or an object with one',
    });
  });

  it('log with the agent and the task in each record', async () => {
    const info = vi.fn();
    const logger = { debug: vi.fn(), info, warn: vi.fn(), error: vi.fn() };
    await using agent = new Fake((_, context) => context.logger.info({ step: 1 }, 'hello'), { telemetry: { logger } });
    const { id } = agent.submit({ type: 't' });
    await agent.drain();
    expect(info).toHaveBeenCalledWith(
      expect.objectContaining({ agent: 'fake', task: id, type: 't', step: 1 }),
      'hello',
    );
  });
});

describe('telemetry', () => {
  it('opens a span for each attempt, marked when it failed', async () => {
    const exporter = new InMemorySpanExporter();
    const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test');
    await using agent = new Fake(
      (_, { attempt }) => {
        if (attempt === 1) throw new ConnectionError('once');
      },
      { telemetry: { tracer }, retry: { maxRetries: 1, baseDelayMs: 1 } },
    );
    const handle = agent.submit({ type: 'sum' });
    await handle.result;
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name, status }) => [name, status.code])).toEqual([
      ['task sum', 2],
      ['task sum', 0],
    ]);
    expect(spans[1]?.attributes).toMatchObject({
      'safla.agent.id': 'fake',
      'safla.task.id': handle.id,
      'safla.task.attempt': 2,
      'safla.correlation_id': handle.id,
    });
  });

  it('records how long each task took, and how it ended', async () => {
    const held = new HeldMetrics();
    const clock = new ManualClock();
    await using agent = new Fake(
      async ({ type }, { sleep }) => {
        await sleep(1_500);
        if (type === 'broken') throw new ConnectionError('away');
      },
      { telemetry: held, clock, maxQueue: 1 },
    );
    const done = agent.submit({ type: 'fine' });
    await turn();
    await clock.advance(1_500);
    await done.result;
    const broken = agent.submit({ type: 'broken' });
    const queued = agent.submit({ type: 'queued' });
    const refused = agent.submit({ type: 'refused' });
    queued.cancel();
    await turn();
    await clock.advance(1_500);
    await Promise.all([broken.result, queued.result, refused.result]);
    const measured = await held.taken(4);
    const of = (state: string, type?: string): object => ({
      'safla.agent.id': 'fake',
      'safla.task.state': state,
      ...(type && { 'error.type': type }),
    });
    expect(new Set(measured.map(({ name, unit }) => `${name} in ${unit}`))).toEqual(
      new Set(['safla.agent.task.duration in s']),
    );
    expect(measured.map(({ sum, attributes }) => [sum, attributes])).toEqual([
      [1.5, of('completed')],
      [0, of('rejected', 'QUEUE_FULL')],
      [0, of('canceled', 'TASK_CANCELED')],
      [1.5, of('failed', 'CONNECTION')],
    ]);
  });
});

async function kinds(events: AsyncIterable<{ type: string; state?: string }>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { type, state } of events) seen.push(state ?? type);
  return seen;
}
