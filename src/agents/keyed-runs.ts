import { type CallScope, openScope, ValidationError } from '../core/index.js';
import type { RunOwner } from './run-owner.js';
import type { Task, TaskResult } from './task.js';
import type { RespondOptions, SubmitOptions, TaskHandle } from './task-handle.js';
import type { TaskRun } from './task-run.js';

/** Completed tasks that a key still leads to, and for how long. */
const maxKept = 1_000;
const keptMs = 300_000;

interface Kept {
  readonly run: TaskRun;
  readonly completedAt: number;
}

/** The tasks behind idempotency keys: those that go on, and the last 1,000 that completed within five minutes. */
export class KeyedRuns implements RunOwner {
  readonly #live: Map<string, TaskRun> = new Map();
  readonly #keys: WeakMap<TaskRun, string> = new WeakMap();
  readonly #done: Map<string, Kept> = new Map();

  /**
   * The task that was submitted with this key.
   *
   * @throws ValidationError when that was another type of task: the key is used twice
   */
  join(key: string, task: Task<unknown>, options: SubmitOptions): TaskHandle | undefined {
    const run = this.#live.get(key) ?? this.#completed(key);
    if (!run) return undefined;
    if (run.task.type !== task.type) {
      const message = `belongs to a task of type '${run.task.type}' already`;
      throw new ValidationError('submit', [{ path: ['idempotencyKey'], message }]);
    }
    return options.signal || options.timeoutMs !== undefined ? new JoinedTask(run, options) : run;
  }

  keep(key: string, run: TaskRun): void {
    this.#live.set(key, run);
    this.#keys.set(run, key);
    run.follow(this);
  }

  changed(run: TaskRun): void {
    const key = this.#keys.get(run);
    if (!run.final || key === undefined) return;
    this.#live.delete(key);
    if (run.state !== 'completed') return;
    this.#done.set(key, { run, completedAt: Date.now() });
    const oldest = this.#done.keys().next().value;
    if (this.#done.size > maxKept && oldest !== undefined) this.#done.delete(oldest);
  }

  #completed(key: string): TaskRun | undefined {
    const kept = this.#done.get(key);
    if (kept && Date.now() - kept.completedAt <= keptMs) return kept.run;
    this.#done.delete(key);
    return undefined;
  }
}

/** A second caller's view of a task: its own signal and time end its waiting, not the task. */
class JoinedTask implements TaskHandle {
  readonly #run: TaskRun;
  readonly #scope: CallScope;
  readonly result: Promise<TaskResult>;

  constructor(run: TaskRun, options: SubmitOptions) {
    const { signal, timeoutMs } = options;
    this.#run = run;
    this.#scope = openScope(run.subject, { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) });
    this.result = this.#wait();
  }

  get id(): string {
    return this.#run.id;
  }

  get task(): Task<unknown> {
    return this.#run.task;
  }

  get state(): TaskHandle['state'] {
    return this.#run.state;
  }

  get events(): TaskHandle['events'] {
    return this.#run.events;
  }

  cancel(reason?: unknown): void {
    this.#run.cancel(reason);
  }

  respond(answer: unknown, options?: RespondOptions): Promise<void> {
    return this.#run.respond(answer, options);
  }

  async #wait(): Promise<TaskResult> {
    try {
      return await this.#scope.run(() => this.#run.result);
    } catch (reason) {
      return this.#run.left(reason);
    } finally {
      this.#scope[Symbol.dispose]();
    }
  }
}
