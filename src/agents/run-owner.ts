import type { TaskRun } from './task-run.js';

/** Told of each change of a run's state. */
export interface RunOwner {
  changed(run: TaskRun): void;
}

/** Hands a task to an agent that can do it. */
export interface TaskRouter {
  /** How often a task may be handed on. */
  readonly maxDepth: number;
  route(run: TaskRun): void;
}
