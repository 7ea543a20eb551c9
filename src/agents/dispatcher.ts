import { type Clock, type Logger, QueueFullError, type StandardSchemaV1, validate } from '../core/index.js';
import { enterScope } from '../core/internal.js';
import type { Retry } from '../resilience/retry.js';
import type { AgentMemory } from './agent-memory.js';
import type { ToolCaller } from './agent-tools.js';
import { TaskRejectedError } from './errors/task-rejected-error.js';
import { PriorityHeap } from './priority-heap.js';
import { type ContextSource, RunContext } from './run-context.js';
import { isTaskResult, type Task } from './task.js';
import type { TaskContext } from './task-context.js';
import type { TaskRun } from './task-run.js';

/** The agent, as its dispatcher sees it. */
export interface DispatcherParts {
  readonly id: string;
  readonly maxConcurrentTasks: number;
  readonly maxQueue: number;
  readonly timeoutMs: number;
  readonly retry: Retry | undefined;
  readonly input: StandardSchemaV1 | undefined;
  readonly output: StandardSchemaV1 | undefined;
  readonly clock: Clock | undefined;
  readonly memory: AgentMemory | undefined;
  readonly tools: ToolCaller | undefined;
  readonly logger: Logger;
  /** Undefined when the agent takes everything. */
  readonly canHandle: ((task: Task<unknown>) => PromiseLike<boolean> | boolean) | undefined;
  /** May throw, and may return a promise. */
  readonly execute: (task: Task<unknown>, context: TaskContext) => unknown;
  /** Told when the first task comes and when the last one has gone. */
  readonly onBusy: (busy: boolean) => void;
}

/**
 * Runs the tasks of one agent: the highest priority first, so many at once as there are places. Waiting
 * for people, for other agents or between attempts needs no place.
 */
export class Dispatcher implements ContextSource {
  readonly #parts: DispatcherParts;
  readonly #waiting: PriorityHeap<TaskRun> = new PriorityHeap();
  readonly #live: Set<TaskRun> = new Set();
  #order = 0;
  #running = 0;
  #pumping = false;
  #pumpIsDue = false;
  #idle: (() => void)[] = [];

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  get id(): string {
    return this.#parts.id;
  }

  get logger(): Logger {
    return this.#parts.logger;
  }

  get memory(): AgentMemory | undefined {
    return this.#parts.memory;
  }

  get tools(): ToolCaller | undefined {
    return this.#parts.tools;
  }

  /** Accepted and not final. */
  get size(): number {
    return this.#live.size;
  }

  /** Running now, those that wait for somebody else not counted. */
  get running(): number {
    return this.#running;
  }

  /** Waiting for a place. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a task, or rejects it. `isWanted` says that the agent was asked already. */
  accept(run: TaskRun, isWanted: boolean = false): void {
    const { id, maxQueue, maxConcurrentTasks, input, canHandle } = this.#parts;
    run.agent = id;
    if (this.#live.size >= maxQueue + maxConcurrentTasks) {
      run.reject(new QueueFullError(`queue of agent '${id}'`, `${maxQueue} tasks`));
      return;
    }
    if (this.#live.size === 0) this.#parts.onBusy(true);
    this.#live.add(run);
    run.onChange((changed) => {
      if (changed.final) this.#forget(changed);
    });
    run.arm();
    if (input || (canHandle && !isWanted)) this.#admit(run, isWanted).catch((error: unknown) => run.reject(error));
    else this.#enqueue(run, () => this.#begin(run));
  }

  async lend<T>(run: TaskRun, wait: () => Promise<T>): Promise<T> {
    if (run.waits++ === 0) this.#leave(run);
    try {
      return await wait();
    } finally {
      if (--run.waits === 0 && !run.final) {
        await run.scope.run(() => new Promise<void>((resolve) => this.#enqueue(run, resolve)));
      }
    }
  }

  cancelAll(reason: unknown): void {
    for (const run of [...this.#live]) run.cancel(reason);
  }

  /** Cancels what has not begun. */
  cancelQueued(reason: unknown): void {
    for (const run of [...this.#live]) if (run.state === 'submitted') run.cancel(reason);
  }

  /** Resolves when nothing is live. */
  idle(): Promise<void> {
    if (this.#live.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  async #admit(run: TaskRun, isWanted: boolean): Promise<void> {
    const { id, input, canHandle } = this.#parts;
    if (canHandle && !isWanted && !(await canHandle(run.task))) {
      throw new TaskRejectedError(`Agent '${id}' does not handle ${run.subject}`, 'not-handled');
    }
    if (input) run.admit(await validate(input, run.task.parameters, `parameters of ${run.subject}`));
    if (!run.final) this.#enqueue(run, () => this.#begin(run));
  }

  #enqueue(run: TaskRun, turn: () => void): void {
    run.turn = turn;
    if (run.order === 0) run.order = ++this.#order;
    this.#waiting.push(run);
    if (this.#pumpIsDue || this.#running >= this.#parts.maxConcurrentTasks) return;
    // Not at once: tasks submitted together are ordered first, and no task runs inside of `submit`.
    this.#pumpIsDue = true;
    queueMicrotask(() => {
      this.#pumpIsDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#running < this.#parts.maxConcurrentTasks) {
      const run = this.#waiting.pop();
      if (!run) break;
      this.#running += 1;
      run.holdsPlace = true;
      run.turn();
    }
    this.#pumping = false;
  }

  #leave(run: TaskRun): void {
    if (this.#waiting.remove(run) || !run.holdsPlace) return;
    run.holdsPlace = false;
    this.#running -= 1;
    this.#pump();
  }

  #forget(run: TaskRun): void {
    this.#live.delete(run);
    this.#leave(run);
    if (this.#live.size > 0) return;
    this.#parts.onBusy(false);
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #begin(run: TaskRun): void {
    run.begin(this.#parts.timeoutMs, this.#parts.clock);
    this.#parts.retry?.begin();
    this.#attempt(run);
  }

  #attempt(run: TaskRun): void {
    if (run.final) return;
    run.attempts += 1;
    const context = new RunContext(run, this);
    try {
      const outcome = enterScope(run.scope, run.correlationId, () => this.#parts.execute(run.task, context));
      if (isPromise(outcome)) {
        outcome.then(
          (value) => this.#made(run, value),
          (error: unknown) => this.#failed(run, error),
        );
      } else {
        this.#made(run, outcome);
      }
    } catch (error) {
      this.#failed(run, error);
    }
  }

  #made(run: TaskRun, value: unknown): void {
    if (run.final) return;
    const { output } = this.#parts;
    const result = isTaskResult(value) ? value : undefined;
    if (output && (!result || result.success)) {
      const subject = `result of ${run.subject}`;
      validate(output, result ? result.data : value, subject).then(
        (data) => (result ? run.settle({ ...result, data }) : run.complete(data)),
        (error: unknown) => this.#failed(run, error),
      );
    } else if (result) run.settle(result);
    else run.complete(value);
  }

  #failed(run: TaskRun, error: unknown): void {
    if (run.final) return;
    const delayMs = this.#parts.retry?.delayAfter(error, run.attempts, run.scope.remainingMs);
    const facts = { agent: this.id, task: run.id, type: run.task.type, attempt: run.attempts, error };
    if (delayMs === undefined) {
      this.logger.warn(facts, 'task failed');
      run.fail(error);
      return;
    }
    this.logger.warn({ ...facts, delayMs }, 'attempt at a task failed; it is tried again');
    run.retrying(error, delayMs);
    this.lend(run, () => run.scope.sleep(delayMs)).then(
      () => this.#attempt(run),
      // Canceled while it slept: it is final already.
      () => undefined,
    );
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
