import { contextStore } from '../core/context-store.js';
import {
  type Clock,
  type Logger,
  QueueFullError,
  type StandardSchemaV1,
  UnsupportedError,
  validate,
  validateSync,
} from '../core/index.js';
import type { Retry } from '../resilience/retry.js';
import type { AgentMemory } from './agent-memory.js';
import type { ToolCaller } from './agent-tools.js';
import { TaskRejectedError } from './errors/task-rejected-error.js';
import { PriorityQueue } from './priority-queue.js';
import { readableError } from './readable-error.js';
import { type ContextSource, RunContext } from './run-context.js';
import { RunList } from './run-list.js';
import { isTaskResult, type Task } from './task.js';
import type { TaskContext } from './task-context.js';
import type { RunOwner, TaskRun } from './task-run.js';

/** The agent, as its dispatcher sees it. */
export interface DispatcherParts {
  readonly id: string;
  readonly maxConcurrentTasks: number;
  readonly maxQueue: number;
  readonly timeoutMs: number;
  readonly retry: Retry | undefined;
  readonly input: StandardSchemaV1 | undefined;
  readonly output: StandardSchemaV1 | undefined;
  readonly clock: Clock;
  readonly memory: AgentMemory | undefined;
  readonly tools: ToolCaller | undefined;
  readonly logger: Logger;
  /** Undefined when the agent takes everything. */
  readonly canHandle: ((task: Task<unknown>) => PromiseLike<boolean> | boolean) | undefined;
  /** May throw, and may return a promise. */
  readonly execute: (task: Task<unknown>, context: TaskContext) => unknown;
  /** Told when the first task comes and when the last one has gone. */
  readonly onBusy: (busy: boolean) => void;
  /** Told of each change of a task's state. */
  readonly onTask: (run: TaskRun) => void;
}

/**
 * Runs the tasks of one agent: the highest priority first, so many at once as there are places. Waiting
 * for people, for other agents or between attempts needs no place.
 */
export class Dispatcher implements ContextSource, RunOwner {
  readonly #parts: DispatcherParts;
  readonly #waiting: PriorityQueue<TaskRun> = new PriorityQueue();
  /** Accepted and not begun. */
  readonly #accepted: RunList<TaskRun> = new RunList();
  /** Begun and not final, the one that began first in front. */
  readonly #begun: RunList<TaskRun> = new RunList();
  readonly #store: ReturnType<typeof contextStore> = contextStore();
  #running = 0;
  #pumping = false;
  #pumpIsDue = false;
  #inputIsAsync = false;
  #stopWatch: (() => void) | undefined;
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
    return this.#accepted.size + this.#begun.size;
  }

  /** Whether it would reject one more. */
  get isFull(): boolean {
    return this.size >= this.#parts.maxQueue + this.#parts.maxConcurrentTasks;
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
    const { id, maxQueue, input, canHandle } = this.#parts;
    run.agent = id;
    const { size } = this;
    if (this.isFull) {
      run.reject(new QueueFullError(`queue of agent '${id}'`, `${maxQueue} tasks`));
      return;
    }
    this.#accepted.push(run);
    if (size === 0) this.#parts.onBusy(true);
    run.arm(this);
    if (canHandle && !isWanted) this.#admitAfter(run, this.#want(run, canHandle));
    else if (input) this.#check(run, input);
    else this.#enqueue(run);
  }

  async lend<T>(run: TaskRun, wait: () => Promise<T>): Promise<T> {
    if (run.waits++ === 0) this.#leave(run);
    try {
      return await wait();
    } finally {
      if (--run.waits === 0 && !run.final) {
        await run.scope.run(
          () =>
            new Promise<void>((resolve) => {
              run.goOn = resolve;
              this.#enqueue(run);
            }),
        );
      }
    }
  }

  cancelAll(reason: unknown): void {
    this.cancelQueued(reason);
    for (let run = this.#begun.first; run; run = this.#begun.first) run.cancel(reason);
  }

  /** Cancels what has not begun. */
  cancelQueued(reason: unknown): void {
    for (let run = this.#accepted.first; run; run = this.#accepted.first) run.cancel(reason);
  }

  changed(run: TaskRun): void {
    this.#parts.onTask(run);
    if (!run.final) return;
    (run.begun ? this.#begun : this.#accepted).remove(run);
    this.#leave(run);
    if (this.size === 0) this.#rest();
  }

  /** Resolves when nothing is live. */
  idle(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  async #want(run: TaskRun, canHandle: NonNullable<DispatcherParts['canHandle']>): Promise<void> {
    if (await canHandle(run.task)) {
      const { input } = this.#parts;
      if (input) run.admit(await validate(input, run.task.parameters, `parameters of ${run.subject}`));
    } else throw new TaskRejectedError(`Agent '${this.id}' does not handle ${run.subject}`, 'not-handled');
  }

  /** At once where the schema can. */
  #check(run: TaskRun, input: StandardSchemaV1): void {
    const { parameters } = run.task;
    if (this.#inputIsAsync) {
      this.#admitAfter(
        run,
        validate(input, parameters, `parameters of ${run.subject}`).then((value) => run.admit(value)),
      );
      return;
    }
    try {
      run.admit(validateSync(input, parameters, 'parameters'));
    } catch (error) {
      this.#inputIsAsync = error instanceof UnsupportedError;
      if (this.#inputIsAsync) this.#check(run, input);
      else run.reject(error);
      return;
    }
    this.#enqueue(run);
  }

  #admitAfter(run: TaskRun, admitted: Promise<void>): void {
    admitted.then(
      () => {
        if (!run.final) this.#enqueue(run);
      },
      (error: unknown) => run.reject(error),
    );
  }

  #enqueue(run: TaskRun): void {
    // What has begun goes on before what has not.
    if (run.begun) this.#waiting.pushFront(run);
    else this.#waiting.push(run);
    if (this.#pumpIsDue || this.#running >= this.#parts.maxConcurrentTasks) return;
    // Not at once: tasks submitted together are ordered first, and no task runs inside of `submit`.
    this.#pumpIsDue = true;
    queueMicrotask(() => {
      this.#pumpIsDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    // A task that ends at once comes here again from inside the loop.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#running < this.#parts.maxConcurrentTasks) {
        const run = this.#waiting.pop();
        if (!run) break;
        this.#running += 1;
        run.holdsPlace = true;
        const { goOn } = run;
        run.goOn = undefined;
        if (goOn) goOn();
        else this.#begin(run);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #leave(run: TaskRun): void {
    if (this.#waiting.remove(run) || !run.holdsPlace) return;
    run.holdsPlace = false;
    this.#running -= 1;
    this.#pump();
  }

  #begin(run: TaskRun): void {
    const { timeoutMs, clock, retry } = this.#parts;
    this.#accepted.remove(run);
    this.#begun.push(run);
    run.begin(timeoutMs, clock);
    if (timeoutMs < Number.POSITIVE_INFINITY && !this.#stopWatch) this.#watch(timeoutMs);
    retry?.begin();
    this.#attempt(run);
  }

  /** All tasks have the same time, so the one that began first is out of time first: one timer is enough. */
  #watch(ms: number): void {
    this.#stopWatch = this.#parts.clock.schedule(() => {
      this.#stopWatch = undefined;
      for (let run = this.#begun.first; run; run = this.#begun.first) {
        const left = run.expire(this.#parts.timeoutMs);
        if (left > 0) {
          this.#watch(left);
          return;
        }
      }
    }, ms);
  }

  #rest(): void {
    this.#stopWatch?.();
    this.#stopWatch = undefined;
    this.#parts.onBusy(false);
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #attempt(run: TaskRun): void {
    if (run.final) return;
    run.attempts += 1;
    const context = new RunContext(run, this);
    try {
      const outcome = this.#store.run(run, this.#parts.execute, run.task, context);
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
    try {
      const result = isTaskResult(value) ? value : undefined;
      const { output } = this.#parts;
      if (output && (!result || result.success)) this.#checkMade(run, result, result ? result.data : value, output);
      else if (result) run.settle(result);
      else run.complete(value);
    } catch (error) {
      this.#failed(run, error);
    }
  }

  #checkMade(run: TaskRun, result: object | undefined, made: unknown, output: StandardSchemaV1): void {
    validate(output, made, `result of ${run.subject}`).then(
      (data) => (result ? run.settle({ ...result, success: true, data }) : run.complete(data)),
      (error: unknown) => this.#failed(run, error),
    );
  }

  #failed(run: TaskRun, thrown: unknown): void {
    if (run.final) return;
    const error = readableError(thrown);
    const delayMs = this.#parts.retry?.delayAfter(error, run.attempts, run.scope.remainingMs);
    const facts = { agent: this.id, task: run.id, type: run.task.type, attempt: run.attempts, error };
    if (delayMs === undefined) {
      this.logger.warn(facts, 'task failed');
      run.fail(error);
      return;
    }
    this.logger.warn({ ...facts, delayMs }, 'attempt at a task failed; it is tried again');
    run.retrying(error, delayMs);
    this.lend(run, () => run.sleep(delayMs)).then(
      () => this.#attempt(run),
      // Canceled while it slept: it is final already.
      () => undefined,
    );
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
