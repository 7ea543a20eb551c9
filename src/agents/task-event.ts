import type { TaskResult, TaskState } from './task.js';

/** How far a task is. */
export interface TaskProgress {
  /** What is done, in the unit of `total`; from 0 to 1 without one. */
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** Something a task waits for a person to decide. */
export interface TaskQuestion {
  /** Names the question in `respond` when a task asks several at once. */
  readonly id: string;
  /** What is asked: a text, or whatever the host's screen shows. */
  readonly prompt: unknown;
  /** Why the last answer was refused, when a worker elsewhere asks again. */
  readonly refused?: string;
}

/** What happens to a task, in order. */
export type TaskEvent<O = unknown> =
  | {
      readonly type: 'status';
      readonly state: TaskState;
      /** Milliseconds since the epoch. */
      readonly time: number;
      /** With `input-required`. */
      readonly question?: TaskQuestion;
      /** With a final state. */
      readonly result?: TaskResult<O>;
    }
  /** An attempt failed and another one follows. */
  | { readonly type: 'retry'; readonly attempt: number; readonly delayMs: number; readonly error: string }
  | ({ readonly type: 'progress' } & TaskProgress)
  /** A part of the result, ahead of the whole. */
  | { readonly type: 'output'; readonly data: unknown }
  /** The reader was too slow: this many events before the next one are gone. */
  | { readonly type: 'dropped'; readonly count: number };
