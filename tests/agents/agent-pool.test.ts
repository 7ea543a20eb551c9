import {
  Agent,
  type AgentOptions,
  AgentPool,
  type Task,
  type TaskContext,
  TaskFailedError,
  TaskRejectedError,
} from '@safla/sdk/agents';
import { ClosedError, ConfigurationError, NotFoundError, ValidationError } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

type Work = (task: Task, context: TaskContext) => unknown;

class Fake extends Agent {
  readonly #work: Work;
  readonly #types: readonly string[] | undefined;

  constructor(id: string, work: Work = () => id, { types, ...options }: AgentOptions & { types?: string[] } = {}) {
    super(id, options);
    this.#work = work;
    this.#types = types;
  }

  override canHandle({ type }: Task): boolean {
    return this.#types?.includes(type) ?? true;
  }

  execute(task: Task, context: TaskContext): unknown {
    return this.#work(task, context);
  }
}

const never = (): Promise<never> => new Promise(() => undefined);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a pool gives a task', () => {
  it('to an agent with its capability that says it can handle it', async () => {
    await using pool = new AgentPool([
      new Fake('reader', undefined, { capabilities: ['read'] }),
      new Fake('letters', undefined, { capabilities: ['write'], types: ['letter'] }),
      new Fake('poems', undefined, { capabilities: ['write'], types: ['poem'] }),
    ]);
    const results = [
      pool.submit({ type: 'poem', capability: 'write' }),
      pool.submit({ type: 'letter', capability: 'write' }),
      pool.submit({ type: 'poem', capability: 'read' }),
    ].map(({ result }) => result);
    await expect(Promise.all(results)).resolves.toMatchObject([
      { data: 'poems' },
      { data: 'letters' },
      { data: 'reader' },
    ]);
  });

  it('to the agent with the highest priority that has a free place, then to the least loaded', async () => {
    await using pool = new AgentPool([
      new Fake('low', never, { maxConcurrentTasks: 2 }),
      new Fake('high', never, { priority: 5 }),
    ]);
    const agents: unknown[] = [];
    for (let n = 0; n < 4; n++) {
      const handle = pool.submit({ type: 't' });
      await turn();
      handle.result.then(({ metadata }) => agents.push(metadata.agent));
    }
    await pool.close({ timeoutMs: 0 });
    expect(agents.toSorted()).toEqual(['high', 'high', 'low', 'low']);
  });

  it('to another agent when the queue of the first is full', async () => {
    await using pool = new AgentPool([
      new Fake('small', never, { maxQueue: 0, priority: 9 }),
      new Fake('large', never, { maxQueue: 5 }),
    ]);
    const handles = [1, 2, 3].map(() => pool.submit({ type: 't' }));
    await pool.close({ timeoutMs: 0 });
    const results = await Promise.all(handles.map(({ result }) => result));
    expect(results.map(({ metadata }) => metadata.agent)).toEqual(['small', 'large', 'large']);
  });

  it('to nobody when nobody can, and says why', async () => {
    await using pool = new AgentPool([new Fake('a', undefined, { types: ['x'], capabilities: ['read', 'write'] })]);
    const unknown = await pool.submit({ type: 'x', capability: 'fly' }).result;
    expect(unknown).toMatchObject({ success: false, metadata: { state: 'rejected', code: 'TASK_REJECTED' } });
    expect(unknown.error).toContain("no agent has the capability 'fly'; known: read, write");
    const refused = await pool.submit({ type: 'y' }).result;
    expect(refused.error).toContain("canHandle of 'a' refused it");
    const empty = await new AgentPool().submit({ type: 'y' }).result;
    expect(empty.error).toContain('the pool has no agents');
  });

  it('past an agent whose canHandle throws, rejects, or is slow', async () => {
    class Odd extends Fake {
      readonly #answer: () => unknown;
      constructor(id: string, answer: () => unknown) {
        super(id, undefined, { priority: 1 });
        this.#answer = answer;
      }
      override canHandle(): never {
        return this.#answer() as never;
      }
    }
    await using pool = new AgentPool([
      new Odd('throws', () => {
        throw new Error('no');
      }),
      new Odd('rejects', () => Promise.reject(new Error('no'))),
      new Odd('slow', async () => {
        await turn();
        return false;
      }),
      new Fake('fine'),
    ]);
    await expect(pool.submit({ type: 't' }).result).resolves.toMatchObject({ data: 'fine' });
    const hanging = new AgentPool([new Odd('hangs', never)]);
    const handle = hanging.submit({ type: 't' }, { timeoutMs: 20 });
    await expect(handle.result).resolves.toMatchObject({ metadata: { state: 'failed', code: 'TIMEOUT' } });
    await hanging.close();
  });
});

describe('handing on', () => {
  const Boss = (work: Work, options: AgentOptions = {}): Fake =>
    new Fake('boss', work, { types: ['boss'], ...options });

  it('has another agent do a task and gives what it made, checked', async () => {
    await using pool = new AgentPool([
      Boss(
        async (_, { delegate }) => (await delegate({ type: 'add', parameters: { a: 1 } }, { schema: z.number() })) + 1,
      ),
      new Fake('adder', ({ parameters }) => Number(parameters.a) + 1, { types: ['add'] }),
    ]);
    await expect(pool.submit({ type: 'boss' }).result).resolves.toMatchObject({ data: 3 });
  });

  it('throws what the other failed with, retryable when that is', async () => {
    let seen: unknown;
    await using pool = new AgentPool([
      Boss(async (_, context) => {
        await context.delegate({ type: 'bad' }).catch((error: unknown) => {
          seen = error;
        });
        await context.delegate({ type: 'nobody can' });
      }),
      new Fake(
        'bad',
        () => {
          throw new Error('broken');
        },
        { types: ['bad'] },
      ),
    ]);
    const result = await pool.submit({ type: 'boss' }).result;
    expect(seen).toBeInstanceOf(TaskFailedError);
    expect(seen).toMatchObject({ retryable: false, result: { error: 'broken', metadata: { agent: 'bad' } } });
    expect(result).toMatchObject({ success: false, metadata: { code: 'TASK_FAILED' } });
  });

  it('is cancelled with the task that handed on, at any depth, also when it was told outside of its context', async () => {
    const reasons: unknown[] = [];
    await using pool = new AgentPool([
      Boss(({ parameters }, { delegate }) =>
        delegate(parameters.deep ? { type: 'work' } : { type: 'boss', parameters: { deep: true } }),
      ),
      new Fake(
        'worker',
        (_, { signal }) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => {
              reasons.push(signal.reason);
              reject(signal.reason);
            }),
          ),
        { types: ['work'] },
      ),
    ]);
    const handle = pool.submit({ type: 'boss' });
    await turn();
    await turn();
    expect(pool.size).toBe(3);
    const reason = new Error('stop');
    handle.cancel(reason);
    await expect(handle.result).resolves.toMatchObject({ metadata: { state: 'canceled' } });
    await turn();
    expect(reasons).toEqual([reason]);
    expect(pool.size).toBe(0);
  });

  it('cannot lock up agents that hand tasks to each other, and ends in a circle', async () => {
    let deepest = 0;
    await using pool = new AgentPool(
      [
        new Fake(
          'echo',
          async ({ parameters }, { delegate }) => {
            const depth = Number(parameters.depth ?? 0);
            deepest = Math.max(deepest, depth);
            return delegate({ type: 't', parameters: { depth: depth + 1 } });
          },
          { maxConcurrentTasks: 1 },
        ),
      ],
      { maxDepth: 4 },
    );
    const result = await pool.submit({ type: 't' }).result;
    expect(deepest).toBe(4);
    expect(result.success).toBe(false);
    expect(result.error).toContain(
      "was handed on 4 times already (echo > echo > echo > echo > echo); that is a circle: give 'echo' a canHandle that says no to type 't'",
    );
  });

  it('never comes back to an agent that handed it on while another can do it, however busy or unimportant', async () => {
    const hands =
      (type: string): Work =>
      async (_, { delegate }) =>
        delegate({ type });
    const takesAll = { priority: 9, maxConcurrentTasks: 50 };
    await using pool = new AgentPool([
      new Fake('first', hands('second'), takesAll),
      new Fake('second', hands('work'), { ...takesAll, types: ['second', 'work'] }),
      new Fake('worker', () => 'done', { types: ['work'], maxQueue: 100 }),
    ]);
    const results = await Promise.all(Array.from({ length: 30 }, () => pool.submit({ type: 'start' }).result));
    expect(results.map(({ data }) => data)).toEqual(results.map(() => 'done'));
  });

  it('comes back to an agent only when no other can do it, to the one that handed it on just now last of all', async () => {
    const seen: string[] = [];
    const note =
      (id: string): Work =>
      async ({ type }, { delegate }) => {
        seen.push(`${id}:${type}`);
        return type === 'c' ? 'end' : delegate({ type: type === 'a' ? 'b' : 'c' });
      };
    await using pool = new AgentPool([
      new Fake('one', note('one'), { types: ['a', 'c'] }),
      new Fake('two', note('two'), { types: ['b', 'c'], priority: 9 }),
    ]);
    await expect(pool.submit({ type: 'a' }).result).resolves.toMatchObject({ data: 'end' });
    expect(seen).toEqual(['one:a', 'two:b', 'one:c']);
  });

  it('names the agents of a circle, or says that more steps can be allowed', async () => {
    const on: Work = (_, { delegate }) => delegate({ type: 't' });
    await using circle = new AgentPool([new Fake('ann', on), new Fake('bob', on)], { maxDepth: 3 });
    await expect(circle.submit({ type: 't' }).result).resolves.toMatchObject({
      error: expect.stringContaining(
        "(ann > bob > ann > bob); that is a circle: give 'bob' and 'ann' a canHandle that says no to type 't'",
      ),
    });
    await using line = new AgentPool([new Fake('ann', on), new Fake('bob', on)], { maxDepth: 1 });
    const { error } = await line.submit({ id: 'first', type: 't' }).result;
    expect(error).toContain('(ann > bob); if that is meant, raise maxDepth of the pool');
    // What failed in the end is told once, not again by each that waited for it.
    expect(error?.match(/failed:/g)).toHaveLength(1);
  });

  it('needs a pool', async () => {
    await using agent = new Fake('alone', (_, { delegate }) => delegate({ type: 't' }));
    await expect(agent.submit({ type: 't' }).result).resolves.toMatchObject({
      error: expect.stringContaining('is in no pool'),
      metadata: { code: 'CONFIGURATION' },
    });
  });

  it('keeps the correlation id of the first task', async () => {
    const ids = new Set<string>();
    await using pool = new AgentPool([
      new Fake('a', async ({ parameters }, { delegate }) => {
        const { currentContext } = await import('@safla/sdk/core');
        ids.add(String(currentContext().correlationId));
        if (!parameters.last) await delegate({ type: 't', parameters: { last: true } });
      }),
    ]);
    await pool.submit({ id: 'first', type: 't' }).result;
    expect([...ids]).toEqual(['first']);
  });
});

describe('agents come and go', () => {
  it('while tasks run: who is removed finishes what it has and gets no more', async () => {
    let finish: (value: unknown) => void = () => undefined;
    const first = new Fake('first', () => new Promise((resolve) => (finish = resolve)), { priority: 9 });
    await using pool = new AgentPool([first]);
    const running = pool.submit({ type: 't' });
    await turn();
    pool.add(new Fake('second'));
    let isGone = false;
    const removed = pool.remove('first').then(() => (isGone = true));
    await expect(pool.submit({ type: 't' }).result).resolves.toMatchObject({ data: 'second' });
    expect(isGone).toBe(false);
    finish('done');
    await expect(running.result).resolves.toMatchObject({ data: 'done' });
    await removed;
    expect(first.status).toBe('idle');
    await expect(pool.remove(first)).rejects.toBeInstanceOf(NotFoundError);
  });

  it('and a closed or draining agent is passed by', async () => {
    const closed = new Fake('closed', undefined, { priority: 9 });
    await closed.close();
    await using pool = new AgentPool([closed, new Fake('open')]);
    await expect(pool.submit({ type: 't' }).result).resolves.toMatchObject({ data: 'open' });
  });

  it('but not twice, and only agents', () => {
    const pool = new AgentPool([new Fake('a')]);
    expect(() => pool.add(new Fake('a'))).toThrow(ConfigurationError);
    expect(() => pool.add({ id: 'b' } as never)).toThrow(ConfigurationError);
    expect(() => new AgentPool(new Fake('c') as never)).toThrow('AgentPool takes a list of agents');
  });
});

describe('a pool', () => {
  it('joins tasks with the same idempotency key, whichever agent has them', async () => {
    let calls = 0;
    await using pool = new AgentPool([new Fake('a', () => ++calls), new Fake('b', () => ++calls)]);
    const key = { idempotencyKey: 'k' };
    const results = [pool.submit({ type: 't' }, key), pool.submit({ type: 't' }, key)].map(({ result }) => result);
    await Promise.all(results);
    expect(calls).toBe(1);
  });

  it('drains and closes: nothing new, queued tasks canceled, running ones until the deadline, agents left open', async () => {
    const agent = new Fake('a', never);
    const pool = new AgentPool([agent]);
    const [running, queued] = [pool.submit({ type: 't' }), pool.submit({ type: 't' })];
    await turn();
    await expect(pool.drain({ timeoutMs: 10 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(() => pool.submit({ type: 't' })).toThrow(ClosedError);
    const closed = pool.close({ timeoutMs: 100 });
    expect([running.state, queued.state]).toEqual(['working', 'canceled']);
    await closed;
    await expect(running.result).resolves.toMatchObject({ metadata: { state: 'canceled', code: 'CLOSED' } });
    expect(agent.status).toBe('idle');
  });

  it('refuses what is no task', () => {
    const pool = new AgentPool();
    expect(() => pool.submit({} as never)).toThrow(ValidationError);
    expect(() => pool.submit({ type: 't' }, { priority: Number.NaN })).toThrow(ConfigurationError);
  });

  it('rejects with a typed error', () => {
    expect(new TaskRejectedError('m', 'no-agent')).toMatchObject({ code: 'TASK_REJECTED', rejection: 'no-agent' });
  });
});
