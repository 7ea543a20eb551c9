import { Agent, AgentPool, type Task, type TaskContext, type TaskHandle } from '@safla/sdk/agents';
import { ConnectionError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const behaviours = ['value', 'later', 'throw', 'flaky', 'sleep', 'ask', 'delegate', 'never'] as const;
const cancellations = ['none', 'before', 'at once', 'soon', 'time', 'answer'] as const;

/** Does what the task's type says. */
class Actor extends Agent {
  constructor(id: string, maxConcurrentTasks: number) {
    const retry = { maxRetries: 2, baseDelayMs: 1 };
    super(id, { maxConcurrentTasks, maxQueue: 6, timeoutMs: 60, retry, input: z.looseObject({}) });
  }
  override canHandle({ type }: Task): boolean | Promise<boolean> {
    return type === 'later' ? Promise.resolve(true) : true;
  }
  async execute({ type }: Task, { sleep, ask, delegate, attempt }: TaskContext): Promise<unknown> {
    if (type === 'throw') throw new Error('no');
    if (type === 'flaky' && attempt < 3) throw new ConnectionError('away');
    if (type === 'sleep') await sleep(3);
    if (type === 'ask') return ask('well?');
    if (type === 'delegate') return delegate({ type: 'later' });
    if (type === 'never') return new Promise(() => undefined);
    return type;
  }
}

const plan = fc.record({
  type: fc.constantFrom(...behaviours),
  priority: fc.integer({ min: -2, max: 2 }),
  end: fc.constantFrom(...cancellations),
  /** Given to an agent itself. */
  direct: fc.boolean(),
});
type Plan = typeof plan extends fc.Arbitrary<infer P> ? P : never;

function start(pool: AgentPool, agent: Agent, { type, priority, end, direct }: Plan): TaskHandle {
  const controller = new AbortController();
  if (end === 'before') controller.abort();
  const time = end === 'time' ? { timeoutMs: 5 } : {};
  const handle = (direct ? agent : pool).submit({ type }, { priority, signal: controller.signal, ...time });
  if (end === 'at once') handle.cancel();
  if (end === 'soon') setTimeout(() => controller.abort(), 2);
  if (end === 'answer') setTimeout(() => handle.respond('yes').catch(() => undefined), 4);
  return handle;
}

describe('agents of a pool', () => {
  it('bring every task to an end that stays, and have all their places free afterwards, whatever is canceled when', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { maxLength: 14 }), fc.integer({ min: 1, max: 3 }), async (plans, places) => {
        const [a, b] = [new Actor('a', places), new Actor('b', 1)];
        await using pool = new AgentPool([a, b]);
        const handles = plans.map((each) => start(pool, a, each));
        const states = (await Promise.all(handles.map(({ result }) => result))).map(({ metadata }) => metadata.state);
        for (const [index, { end }] of plans.entries()) if (end === 'before') expect(states[index]).toBe('canceled');
        expect(handles.map(({ state }) => state)).toEqual(states);
        await pool.drain();
        for (const { running, queued, status } of [a, b]) {
          expect({ running, queued, status }).toEqual({ running: 0, queued: 0, status: 'idle' });
        }
        // A place that was lost would keep this one waiting until its time is over.
        const last = await Promise.all([a, b].map((agent) => agent.submit({ type: 'value' }).result));
        expect(last.map(({ data }) => data)).toEqual(['value', 'value']);
      }),
      { numRuns: process.env.SAFLA_SOAK ? 1_000 : 25 },
    );
  });
});
