import { type StandardSchemaV1, UnsupportedError, validate, validateSync } from '../core/index.js';
import { TaskRejectedError } from './errors/task-rejected-error.js';
import type { Task } from './task.js';
import type { TaskRun } from './task-run.js';

/** What an agent asks of a task before it queues it. */
export interface AdmissionParts {
  readonly id: string;
  readonly input: StandardSchemaV1 | undefined;
  /** Undefined when the agent takes everything. */
  readonly canHandle: ((task: Task<unknown>) => PromiseLike<boolean> | boolean) | undefined;
}

/** Lets in what the agent wants and what its schema allows, at once where it can, and rejects the rest. */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #admitted: (run: TaskRun) => void;
  #schemaIsAsync = false;

  /** @param admitted gets what was let in, even when it ended meanwhile */
  constructor(parts: AdmissionParts, admitted: (run: TaskRun) => void) {
    this.#parts = parts;
    this.#admitted = admitted;
  }

  /** @param isWanted whether the agent was asked already */
  admit(run: TaskRun, isWanted: boolean): void {
    const { input, canHandle } = this.#parts;
    if (canHandle && !isWanted) this.#after(run, this.#ask(run, canHandle));
    else if (!input) this.#admitted(run);
    else if (this.#schemaIsAsync) this.#after(run, this.#validate(run, input));
    else this.#check(run, input);
  }

  async #ask(run: TaskRun, canHandle: NonNullable<AdmissionParts['canHandle']>): Promise<void> {
    const { id, input } = this.#parts;
    if (!(await canHandle(run.task))) {
      throw new TaskRejectedError(`Agent '${id}' does not handle ${run.subject}`, 'not-handled');
    }
    if (input) await this.#validate(run, input);
  }

  async #validate(run: TaskRun, input: StandardSchemaV1): Promise<void> {
    run.admit(await validate(input, run.task.parameters, `parameters of ${run.subject}`));
  }

  #check(run: TaskRun, input: StandardSchemaV1): void {
    try {
      run.admit(validateSync(input, run.task.parameters, 'parameters'));
    } catch (error) {
      this.#schemaIsAsync = error instanceof UnsupportedError;
      if (this.#schemaIsAsync) this.#after(run, this.#validate(run, input));
      else run.reject(error);
      return;
    }
    this.#admitted(run);
  }

  #after(run: TaskRun, done: Promise<void>): void {
    done.then(
      () => this.#admitted(run),
      (error: unknown) => run.reject(error),
    );
  }
}
