import { activeScope } from '../core/context-store.js';
import {
  CallScope,
  type Clock,
  NotFoundError,
  openScope,
  SaflaError,
  type StandardSchemaV1,
  TimeoutError,
  validate,
} from '../core/index.js';
import { correlationIdHere, describeError } from '../core/internal.js';
import { TaskCanceledError } from './errors/task-canceled-error.js';
import type { HeapItem } from './priority-heap.js';
import {
  type FinalTaskState,
  isFinalTaskState,
  type Task,
  type TaskMetadata,
  type TaskResult,
  type TaskState,
} from './task.js';
import type { TaskEvent, TaskQuestion } from './task-event.js';
import type { RespondOptions, SubmitOptions, TaskHandle } from './task-handle.js';
import { TaskLog } from './task-log.js';

/** Hands a task to an agent that can do it. */
export interface TaskRouter {
  /** How often a task may be handed on. */
  readonly maxDepth: number;
  route(run: TaskRun): void;
}

/** Told of each change of a run's state. */
export type RunListener = (run: TaskRun) => void;

interface OpenQuestion extends TaskQuestion {
  readonly schema: StandardSchemaV1 | undefined;
  readonly resolve: (answer: unknown) => void;
}

const noTurn = (): void => undefined;

/**
 * One submitted task: its state machine, its cancellation and its events. Final states are final: whatever
 * comes after one is ignored. What costs something is made when it is needed: most tasks have no log, no
 * questions, and nobody who reads their signal.
 */
export class TaskRun implements TaskHandle, HeapItem {
  readonly priority: number;
  readonly correlationId: string;
  /** How many tasks above this one handed it on. */
  readonly depth: number;
  /** Who finds agents for what this task hands on. */
  router: TaskRouter | undefined;
  /** The id of the agent that has it. */
  agent: string | undefined;
  order = 0;
  place = -1;
  /** What to do when its turn comes. */
  turn: () => void = noTurn;
  /** Whether it counts as one of its agent's running tasks now. */
  holdsPlace = false;
  /** What it waits for without needing its place: people, other agents, pauses. */
  waits = 0;
  attempts = 0;
  #task: Task<unknown>;
  #state: TaskState = 'submitted';
  #result: TaskResult | undefined;
  #failure: unknown;
  #promise: Promise<TaskResult> | undefined;
  #resolve: ((result: TaskResult) => void) | undefined;
  /** From submission to the end; only where something can end it before it starts. */
  #outer: CallScope | undefined;
  /** From the start to the end. */
  #scope: CallScope | undefined;
  readonly #submittedAt: number = Date.now();
  #startedAt = 0;
  #endedAt = 0;
  #log: TaskLog | undefined;
  #questions: Map<string, OpenQuestion> | undefined;
  #lastQuestion = 0;
  readonly #listeners: RunListener[] = [];

  constructor(task: Task<unknown>, options: SubmitOptions = {}, parent?: TaskRun) {
    this.#task = task;
    this.priority = options.priority ?? task.priority ?? 0;
    this.correlationId = parent?.correlationId ?? correlationIdHere() ?? task.id;
    this.depth = parent ? parent.depth + 1 : 0;
    this.router = parent?.router;
    const { signal, timeoutMs } = options;
    if (signal || timeoutMs !== undefined || parent || activeScope()) {
      this.#outer = openScope(this.subject, {
        ...(signal && { signal }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(parent && { parents: [parent.scope] }),
      });
    }
  }

  /** Listens to its cancellation from here on: a signal that has aborted already ends it now. */
  arm(): void {
    this.#outer?.onCancel((reason) => this.#cancelled(reason));
  }

  get id(): string {
    return this.#task.id;
  }

  get task(): Task<unknown> {
    return this.#task;
  }

  /** As it reads in errors. */
  get subject(): string {
    return `task '${this.#task.id}' of type '${this.#task.type}'`;
  }

  get state(): TaskState {
    return this.#state;
  }

  get final(): boolean {
    return this.#result !== undefined;
  }

  /** What made it fail, as it was thrown. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Ends when the task does not go on; before the start, when it cannot start any more. */
  get scope(): CallScope {
    this.#scope ??= this.#outer ?? new CallScope(this.subject);
    return this.#scope;
  }

  get result(): Promise<TaskResult> {
    if (!this.#promise) {
      this.#promise = this.#result
        ? Promise.resolve(this.#result)
        : new Promise((resolve) => {
            this.#resolve = resolve;
          });
    }
    return this.#promise;
  }

  get events(): AsyncIterable<TaskEvent> {
    return { [Symbol.asyncIterator]: () => this.#logged().read() };
  }

  cancel(reason?: unknown): void {
    if (this.final) return;
    const error =
      reason === undefined || typeof reason === 'string' ? new TaskCanceledError(this.subject, reason) : reason;
    const scope = this.#scope ?? this.#outer;
    if (scope) scope.cancel(error);
    this.#cancelled(error);
  }

  async respond(answer: unknown, options: RespondOptions = {}): Promise<void> {
    const question = this.#question(options.questionId);
    const { schema } = question;
    const value = schema ? await validate(schema, answer, `answer to ${this.subject}`) : answer;
    if (!this.#questions?.delete(question.id)) throw this.#notAsked(question.id);
    if (this.#questions.size === 0) this.#moveTo('working');
    question.resolve(value);
  }

  /** Adds to those who are told of each new state. */
  onChange(listener: RunListener): void {
    this.#listeners.push(listener);
  }

  /** What the agent's schema made of the parameters. */
  admit(parameters: unknown): void {
    this.#task = { ...this.#task, parameters };
  }

  /** Begins: from here on the task's time runs. */
  begin(timeoutMs: number, clock: Clock | undefined): void {
    this.#startedAt = Date.now();
    this.#scope = new CallScope(this.subject, {
      timeoutMs,
      parents: [this.#outer],
      ...(clock && { clock }),
    });
    this.#scope.onCancel((reason) => this.#cancelled(reason));
    this.#moveTo('working');
  }

  complete(data: unknown, metadata?: Partial<TaskMetadata>): void {
    this.#finish('completed', { success: true, data, metadata: this.#metadata('completed', metadata) });
  }

  /** With a result that the agent made itself. */
  settle(result: Omit<TaskResult, 'metadata'> & Partial<TaskResult>): void {
    const state = result.success ? 'completed' : 'failed';
    const { metadata, ...rest } = result;
    this.#finish(state, { ...rest, metadata: this.#metadata(state, metadata) });
  }

  fail(error: unknown): void {
    this.#endWith('failed', error);
  }

  reject(error: unknown): void {
    this.#endWith('rejected', error);
  }

  /** Tells the readers of its events. */
  tell(event: TaskEvent): void {
    if (!this.final) this.#logged().add(event);
  }

  /** An attempt failed and another one follows. */
  retrying(error: unknown, delayMs: number): void {
    this.tell({ type: 'retry', attempt: this.attempts, delayMs, error: describeError(error) });
  }

  /** Asks within `scope`; what is answered passes `schema`. */
  ask(prompt: unknown, schema: StandardSchemaV1 | undefined, scope: CallScope): Promise<unknown> {
    const id = String(++this.#lastQuestion);
    return scope
      .run(
        () =>
          new Promise((resolve) => {
            this.#questions ??= new Map();
            this.#questions.set(id, { id, prompt, schema, resolve });
            this.#moveTo('input-required', { id, prompt });
          }),
      )
      .finally(() => {
        // When nobody answered: the task was canceled, or its time to ask is over.
        if (this.#questions?.delete(id) && this.#questions.size === 0) this.#moveTo('working');
      });
  }

  #question(id: string | undefined): OpenQuestion {
    const question = id === undefined ? this.#questions?.values().next().value : this.#questions?.get(id);
    if (!question) throw this.#notAsked(id);
    return question;
  }

  #notAsked(id: string | undefined): NotFoundError {
    return new NotFoundError(
      `The ${this.subject} ${id === undefined ? 'asks nothing' : `does not ask question '${id}'`} now`,
    );
  }

  #cancelled(reason: unknown): void {
    this.#endWith(reason instanceof TimeoutError ? 'failed' : 'canceled', reason);
  }

  #endWith(state: FinalTaskState, error: unknown): void {
    if (this.final) return;
    this.#failure = error;
    const facts = SaflaError.is(error) ? { code: error.code, retryable: error.retryable } : undefined;
    this.#finish(state, {
      success: false,
      error: describeError(error),
      metadata: this.#metadata(state, { failureReason: nameOf(error), ...facts }),
    });
  }

  #metadata(state: FinalTaskState, more: Partial<TaskMetadata> | undefined): TaskMetadata {
    const { agent, attempts } = this;
    this.#endedAt = Date.now();
    const processingTime = this.#startedAt === 0 ? 0 : Math.max(0, this.#endedAt - this.#startedAt);
    return { agent, processingTime, attempts, ...more, state };
  }

  #finish(state: FinalTaskState, result: TaskResult): void {
    if (this.final) return;
    this.#result = result;
    this.#moveTo(state);
    this.#log?.end();
    this.#outer?.[Symbol.dispose]();
    this.#scope?.[Symbol.dispose]();
    this.#questions = undefined;
    this.#resolve?.(result);
  }

  #moveTo(state: TaskState, question?: TaskQuestion): void {
    if (isFinalTaskState(this.#state)) return;
    this.#state = state;
    // Questions cannot be told from the state afterwards, so they begin the log.
    const log = question ? this.#logged() : this.#log;
    log?.add(this.#status(state, Date.now(), question));
    for (const listener of this.#listeners) listener(this);
  }

  #status(state: TaskState, time: number, question?: TaskQuestion): TaskEvent {
    const result = this.#result;
    return { type: 'status', state, time, ...(question && { question }), ...(result && { result }) };
  }

  /** The log, begun with what happened so far: without one, that is at most submission, start and end. */
  #logged(): TaskLog {
    if (!this.#log) {
      const past: TaskEvent[] = [{ type: 'status', state: 'submitted', time: this.#submittedAt }];
      if (this.#startedAt > 0) past.push({ type: 'status', state: 'working', time: this.#startedAt });
      if (this.final) past.push(this.#status(this.#state, this.#endedAt));
      this.#log = new TaskLog(past, this.final);
    }
    return this.#log;
  }
}

/** The class of what was thrown. Anything can be, also what throws when it is looked at. */
function nameOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.name) : typeof error;
  } catch {
    return 'unknown';
  }
}
