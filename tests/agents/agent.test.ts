import { Agent, type Task, type TaskContext, type TaskResult } from '@safla/sdk/agents';
import { describe, expect, it } from 'vitest';

class Doubler extends Agent<{ n: number }, number> {
  constructor() {
    super('doubler', { maxConcurrentTasks: 2 });
  }

  override execute({ parameters: { n } }: Task<{ n: number }>): number {
    return n * 2;
  }
}

describe('a submitted task', () => {
  it('resolves with what execute returned, and how it came to be', async () => {
    await using agent = new Doubler();
    const handle = agent.submit({ type: 'double', parameters: { n: 21 } });
    expect(handle.state).toBe('submitted');
    const result: TaskResult<number> = await handle.result;
    expect(result).toMatchObject({
      success: true,
      data: 42,
      metadata: { agent: 'doubler', state: 'completed', attempts: 1 },
    });
    expect(handle.state).toBe('completed');
    expect(agent.status).toBe('idle');
  });

  it('ends in order of priority', async () => {
    const order: unknown[] = [];
    class One extends Agent {
      execute({ parameters }: Task, _: TaskContext): void {
        order.push(parameters.n);
      }
    }
    await using agent = new One('one');
    const handles = [0, 5, 1, 5, -1].map((priority, n) => agent.submit({ type: 't', parameters: { n } }, { priority }));
    await Promise.all(handles.map(({ result }) => result));
    expect(order).toEqual([1, 3, 2, 0, 4]);
  });
});
