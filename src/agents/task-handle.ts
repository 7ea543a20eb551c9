import type { CallOptions } from '../core/index.js';
import type { Task, TaskDraft, TaskResult, TaskState } from './task.js';
import type { TaskEvent } from './task-event.js';

/** Settings of one submitted task. */
export interface SubmitOptions extends CallOptions {
  /** Overrules the task's own. @default the task's, else 0 */
  readonly priority?: number;
  /**
   * Submitted again with the same key, the task joins the one that is waiting, running, or completed
   * lately, instead of running twice. One that did not complete is forgotten, so that it can be tried again.
   */
  readonly idempotencyKey?: string;
}

/** Settings of {@link TaskHandle.respond}. */
export interface RespondOptions {
  /** Which question is answered. @default the one that is open longest */
  readonly questionId?: string;
}

/** A task that was submitted. */
export interface TaskHandle<O = unknown> {
  /** The task's. */
  readonly id: string;
  readonly task: Task<unknown>;
  readonly state: TaskState;
  /** Resolves when the task is final, whatever became of it: it never rejects. `metadata.state` says how it ended. */
  readonly result: Promise<TaskResult<O>>;
  /**
   * What happens to the task, from its first event on, also for who comes late; it ends with the task. Each
   * loop reads for itself. The last 1,000 events are kept.
   */
  readonly events: AsyncIterable<TaskEvent<O>>;
  /**
   * Cancels the task wherever it is: queued, running, asleep, between attempts, or handed to another agent.
   * Nothing happens when it is final.
   *
   * @param reason an error, or a text for the message
   */
  cancel(reason?: unknown): void;
  /**
   * Answers a question of the task.
   *
   * @throws NotFoundError when it asks nothing, or not this; ValidationError for an answer that its schema refuses: the question stays open
   */
  respond(answer: unknown, options?: RespondOptions): Promise<void>;
}

/** Whatever takes tasks: an agent, a pool, a fleet of workers. */
export interface TaskSubmitter {
  /** @throws ValidationError for a task that is none; ClosedError */
  submit(task: TaskDraft<unknown>, options?: SubmitOptions): TaskHandle;
}
