import { Agent, type AgentOptions, type Task, type TaskContext } from '@safla/sdk/agents';
import { ConnectionError } from '@safla/sdk/core';

/** Does what its tasks say: sleeps, fails, asks, or answers with its parameters. */
export class SleepyAgent extends Agent {
  /** Of tasks that were begun, in order. */
  readonly begun: string[] = [];

  constructor(options: AgentOptions = {}) {
    super('sleepy', { maxConcurrentTasks: 4, capabilities: ['sleep'], ...options });
  }

  async execute({ id, parameters }: Task, context: TaskContext): Promise<unknown> {
    this.begun.push(id);
    const { sleepMs, failTimes, ask, fail } = parameters as {
      sleepMs?: number;
      failTimes?: number;
      ask?: string;
      fail?: string;
    };
    if (sleepMs !== undefined) {
      context.progress({ progress: 1, total: 2, message: 'asleep' });
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, sleepMs);
        context.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(context.signal.reason);
        });
      });
    }
    const attempt = this.begun.filter((begun) => begun === id).length;
    if (failTimes !== undefined && attempt <= failTimes) throw new ConnectionError(`attempt ${attempt} broke`);
    if (fail !== undefined) throw new Error(fail);
    if (ask !== undefined) return { answered: await context.ask(ask) };
    return parameters;
  }
}
