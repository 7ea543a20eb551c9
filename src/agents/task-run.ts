import { activeScope, type StoredContext } from '../core/context-store.js';
import { CallScope, type Clock, openScope, systemClock, TimeoutError } from '../core/index.js';
import { correlationIdHere, describeError } from '../core/internal.js';
import { TaskCanceledError } from './errors/task-canceled-error.js';
import { failedResult } from './failed-result.js';
import type { PriorityLine, QueueItem } from './priority-queue.js';
import { readableError } from './readable-error.js';
import type { Linked } from './run-list.js';
import type { RunOwner, TaskRouter } from './run-owner.js';
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
import { notAsked, type Questioner, TaskQuestions } from './task-questions.js';

/**
 * One submitted task: its state machine, its cancellation and its events. Final states are final: whatever
 * comes after one is ignored. What costs something is made when it is needed: most tasks have no log, no
 * questions, and nobody who reads their signal.
 */
export class TaskRun implements TaskHandle, Questioner, QueueItem<TaskRun>, Linked<TaskRun>, StoredContext {
  readonly priority: number;
  /** The task that handed it on. */
  readonly parent: TaskRun | undefined;
  /** Who finds agents for what this task hands on. */
  router: TaskRouter | undefined;
  /** The id of the agent that has it. */
  agent: string | undefined;
  /** The dispatcher of that agent. */
  owner: RunOwner | undefined;
  line: PriorityLine<TaskRun> | undefined;
  ahead: TaskRun | undefined;
  behind: TaskRun | undefined;
  previous: TaskRun | undefined;
  next: TaskRun | undefined;
  /** Goes on with a task that waited for its place; undefined for one that has not begun. */
  goOn: (() => void) | undefined;
  /** Whether it counts as one of its agent's running tasks now. */
  holdsPlace = false;
  /** What it waits for without needing its place: people, other agents, pauses. */
  waits = 0;
  attempts = 0;
  #task: Task<unknown>;
  #state: TaskState = 'submitted';
  #result: TaskResult | undefined;
  #failure: unknown;
  /** Ended from outside: canceled, or out of time. */
  #stopped = false;
  #armed = false;
  #promise: Promise<TaskResult> | undefined;
  #resolve: ((result: TaskResult) => void) | undefined;
  readonly #inheritedId: string | undefined;
  /** From submission to the end; only where something else can end it. */
  readonly #outer: CallScope | undefined;
  #scope: CallScope | undefined;
  #clock: Clock = systemClock;
  #begun = false;
  #startedAt = 0;
  #endedAt = 0;
  #timeoutMs: number = Number.POSITIVE_INFINITY;
  #log: TaskLog | undefined;
  #questions: TaskQuestions | undefined;
  #followers: RunOwner[] | undefined;

  constructor(task: Task<unknown>, options: SubmitOptions = {}, parent?: TaskRun) {
    this.#task = task;
    this.priority = options.priority ?? task.priority ?? 0;
    this.parent = parent;
    this.router = parent?.router;
    this.#inheritedId = parent?.correlationId ?? correlationIdHere();
    const { signal, timeoutMs } = options;
    if (signal || timeoutMs !== undefined || parent || activeScope()) {
      this.#outer = openScope(this.subject, {
        ...(signal && { signal }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(parent && { parents: [parent.scope] }),
      });
    }
  }

  /** Hands it to who runs it. From here on its cancellation is heard: a signal that has aborted already ends it now. */
  arm(owner: RunOwner | undefined): void {
    this.owner = owner;
    if (this.#armed) return;
    this.#armed = true;
    this.#outer?.onCancel((reason) => this.#stop(reason));
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

  /** The agents of the tasks that handed it on, the last one first; the same one may be there more than once. */
  get handedOnBy(): readonly string[] {
    const agents: string[] = [];
    for (let run = this.parent; run; run = run.parent) agents.push(run.agent ?? '');
    return agents;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Whether it was ended from outside: canceled, or out of time. */
  get stopped(): boolean {
    return this.#stopped;
  }

  get final(): boolean {
    return this.#result !== undefined;
  }

  /** The result, once there is one. */
  get outcome(): TaskResult | undefined {
    return this.#result;
  }

  /** What made it fail, as it was thrown. */
  get failure(): unknown {
    return this.#failure;
  }

  get correlationId(): string {
    return this.#inheritedId ?? this.#task.id;
  }

  /** Ends when the task may not go on. Most tasks never ask for it, so it is made when they do. */
  get scope(): CallScope {
    if (!this.#scope) {
      const clock = this.#clock;
      const timeoutMs = this.#startedAt + this.#timeoutMs - clock.now();
      this.#scope = new CallScope(this.subject, {
        parents: [this.#outer],
        // The time is watched from outside, for all tasks of an agent with one timer.
        ...(timeoutMs < Number.POSITIVE_INFINITY && {
          timeoutMs: Math.max(1, timeoutMs),
          clock: { now: () => clock.now(), schedule: () => () => undefined },
        }),
      });
      if (this.#stopped) this.#scope.cancel(this.#failure);
    }
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
    this.#stop(
      reason === undefined || typeof reason === 'string' ? new TaskCanceledError(this.subject, reason) : reason,
    );
  }

  async respond(answer: unknown, options: RespondOptions = {}): Promise<void> {
    if (this.final || !this.#questions) throw notAsked(this.subject, options.questionId);
    await this.#questions.answer(answer, options);
  }

  /** What it asks people. */
  get questions(): TaskQuestions {
    this.#questions ??= new TaskQuestions(this);
    return this.#questions;
  }

  asks(question: TaskQuestion): void {
    this.#moveTo('input-required', question);
  }

  goesOn(): void {
    this.#moveTo('working');
  }

  /** Adds to those who are told of each new state. */
  follow(follower: RunOwner): void {
    this.#followers ??= [];
    this.#followers.push(follower);
  }

  /** What the agent's schema made of the parameters. */
  admit(parameters: unknown): void {
    // The run's own copy of what was submitted.
    (this.#task as { parameters: unknown }).parameters = parameters;
  }

  /** Begins: from here on the task's time runs. */
  begin(timeoutMs: number, clock: Clock): void {
    this.#clock = clock;
    this.#begun = true;
    this.#startedAt = clock.now();
    this.#timeoutMs = timeoutMs;
    this.#moveTo('working');
  }

  /** Ends it when its time is over. @returns the milliseconds left, 0 when it was ended */
  expire(): number {
    const left = Math.max(0, this.#startedAt + this.#timeoutMs - this.#clock.now());
    if (left === 0) this.#stop(new TimeoutError(this.subject, this.#timeoutMs));
    return left;
  }

  complete(data: unknown): void {
    if (!this.final) this.#finish('completed', { success: true, data, metadata: this.#metadata('completed') });
  }

  /** With a result that the agent made itself. */
  settle(result: Omit<TaskResult, 'metadata'> & Partial<TaskResult>): void {
    if (this.final) return;
    const state = result.success ? 'completed' : 'failed';
    const own = this.#metadata(state);
    this.#finish(state, { ...result, metadata: { ...own, ...result.metadata, state } });
  }

  /** With a result that was made elsewhere, in its own words. */
  mirror(result: TaskResult): void {
    if (this.final) return;
    const { state = result.success ? 'completed' : 'failed', agent } = result.metadata;
    this.agent = agent;
    this.#finish(state, { ...result, metadata: { ...result.metadata, state } });
  }

  fail(error: unknown): void {
    this.#endWith('failed', readableError(error));
  }

  reject(error: unknown): void {
    this.#endWith('rejected', readableError(error));
  }

  /** How it ended for a caller who left. */
  left(reason: unknown): TaskResult {
    const state = reason instanceof TimeoutError ? 'failed' : 'canceled';
    return failedResult(state, reason, { agent: this.agent, state, attempts: this.attempts });
  }

  /** Tells the readers of its events. */
  tell(event: TaskEvent): void {
    if (!this.final) this.#logged().add(event);
  }

  /** Waits; rejects when it ends first. The scope itself cannot: its clock only tells the time. */
  async sleep(ms: number): Promise<void> {
    using scope = new CallScope(`a pause of ${this.subject}`, { parents: [this.scope], clock: this.#clock });
    await scope.sleep(ms);
  }

  /** An attempt failed and another one follows. */
  retrying(error: unknown, delayMs: number): void {
    this.tell({ type: 'retry', attempt: this.attempts, delayMs, error: describeError(error) });
  }

  /** Ends it from outside: whatever it still does is told by its scope. */
  #stop(given: unknown): void {
    if (this.final) return;
    const reason = readableError(given);
    this.#stopped = true;
    this.#endWith(reason instanceof TimeoutError ? 'failed' : 'canceled', reason);
  }

  #endWith(state: FinalTaskState, error: unknown): void {
    if (this.final) return;
    this.#failure = error;
    this.#finish(state, failedResult(state, error, this.#metadata(state)));
  }

  #metadata(state: FinalTaskState): TaskMetadata {
    this.#endedAt = this.#clock.now();
    const processingTime = !this.#begun ? 0 : Math.max(0, this.#endedAt - this.#startedAt);
    return { agent: this.agent, state, attempts: this.attempts, processingTime };
  }

  #finish(state: FinalTaskState, result: TaskResult): void {
    if (this.final) return;
    this.#result = result;
    this.#moveTo(state);
    this.#log?.end();
    if (this.#stopped) this.#scope?.cancel(this.#failure);
    this.#scope?.[Symbol.dispose]();
    this.#outer?.[Symbol.dispose]();
    this.#resolve?.(result);
  }

  #moveTo(state: TaskState, question?: TaskQuestion): void {
    if (isFinalTaskState(this.#state)) return;
    this.#state = state;
    // Questions cannot be told from the state afterwards, so they begin the log.
    const log = question ? this.#logged() : this.#log;
    log?.add(this.#status(state, Date.now(), question));
    this.owner?.changed(this);
    if (this.#followers) for (const follower of this.#followers) follower.changed(this);
  }

  #status(state: TaskState, time: number, question?: TaskQuestion): TaskEvent {
    const result = this.#result;
    return { type: 'status', state, time, ...(question && { question }), ...(result && { result }) };
  }

  /** The log, begun with what happened so far: without one, that is at most submission, start and end. */
  #logged(): TaskLog {
    if (!this.#log) {
      const past: TaskEvent[] = [{ type: 'status', state: 'submitted', time: this.#task.createdAt }];
      if (this.#begun) past.push({ type: 'status', state: 'working', time: this.#startedAt });
      if (this.final) past.push(this.#status(this.#state, this.#endedAt));
      this.#log = new TaskLog(past, this.final);
    }
    return this.#log;
  }
}
