import { contextStore } from '../core/context-store.js';
import { type Logger, type StandardSchemaV1, validate } from '../core/index.js';
import type { Retry } from '../resilience/retry.js';
import { readableError } from './readable-error.js';
import { type ContextSource, RunContext } from './run-context.js';
import { isTaskResult, type Task } from './task.js';
import type { TaskContext } from './task-context.js';
import type { TaskRun } from './task-run.js';

/** How an agent does a task. */
export interface AttemptParts {
  readonly retry: Retry | undefined;
  readonly output: StandardSchemaV1 | undefined;
  readonly logger: Logger;
  /** May throw, and may return a promise. */
  readonly execute: (task: Task<unknown>, context: TaskContext) => unknown;
}

/** Calls `execute` for a task until it is final: what it made is checked, what it threw is tried again where that may help. */
export class Attempts {
  readonly #parts: AttemptParts;
  readonly #source: ContextSource;
  readonly #store: ReturnType<typeof contextStore> = contextStore();

  constructor(parts: AttemptParts, source: ContextSource) {
    this.#parts = parts;
    this.#source = source;
  }

  begin(run: TaskRun): void {
    this.#parts.retry?.begin();
    this.#attempt(run);
  }

  #attempt(run: TaskRun): void {
    if (run.final) return;
    run.attempts += 1;
    const context = new RunContext(run, this.#source);
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
      if (output && (!result || result.success)) this.#check(run, result, result ? result.data : value, output);
      else if (result) run.settle(result);
      else run.complete(value);
    } catch (error) {
      this.#failed(run, error);
    }
  }

  #check(run: TaskRun, result: object | undefined, made: unknown, output: StandardSchemaV1): void {
    validate(output, made, `result of ${run.subject}`).then(
      (data) => (result ? run.settle({ ...result, success: true, data }) : run.complete(data)),
      (error: unknown) => this.#failed(run, error),
    );
  }

  #failed(run: TaskRun, thrown: unknown): void {
    if (run.final) return;
    const { retry, logger } = this.#parts;
    const error = readableError(thrown);
    const delayMs = retry?.delayAfter(error, run.attempts, run.scope.remainingMs);
    const facts = { agent: this.#source.id, task: run.id, type: run.task.type, attempt: run.attempts, error };
    if (delayMs === undefined) {
      logger.warn(facts, 'task failed');
      run.fail(error);
      return;
    }
    logger.warn({ ...facts, delayMs }, 'attempt at a task failed; it is tried again');
    run.retrying(error, delayMs);
    this.#source
      .lend(run, () => run.sleep(delayMs))
      .then(
        () => this.#attempt(run),
        // Canceled while it slept: it is final already.
        () => undefined,
      );
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
