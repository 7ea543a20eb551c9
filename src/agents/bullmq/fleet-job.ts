import type { Task, TaskResult } from '../task.js';
import type { TaskEvent } from '../task-event.js';

/** A job's data. */
export interface FleetJob {
  readonly task: Task<unknown>;
  readonly correlationId: string;
  /** Set when it was canceled while a worker had it, for the worker that may get it next. */
  readonly canceled?: string;
  /** Set when it failed: BullMQ keeps only a text of failures. */
  readonly outcome?: TaskResult;
}

/** A job's progress: what happened to the task, told to whoever submitted it. */
export interface FleetProgress {
  readonly event: TaskEvent;
}

/** What submitters tell workers. Every worker hears it; the one that has the job acts. */
export type FleetCommand =
  | { readonly kind: 'cancel'; readonly job: string; readonly reason: string }
  | { readonly kind: 'respond'; readonly job: string; readonly question: string; readonly answer: unknown };

/** The channel of {@link FleetCommand}. */
export function commandChannel(prefix: string, queue: string): string {
  return `${prefix}:${queue}:safla:commands`;
}

/** BullMQ wants ids without colons, and none that look like numbers. */
export function jobIdOf(key: string): string {
  return `task-${encodeURIComponent(key)}`;
}

/** BullMQ's priorities are 1 (first) to 2^21 - 1; ours grow with importance and have 0 in the middle. */
const middle = 2 ** 20;

export function jobPriorityOf(priority: number): number {
  return Math.min(2 * middle - 1, Math.max(1, middle - Math.round(priority)));
}

export function priorityOf(jobPriority: number): number {
  return middle - jobPriority;
}

/** JSON that is read without trust: undefined when it is none. */
export function readCommand(text: string): FleetCommand | undefined {
  try {
    const command = JSON.parse(text) as FleetCommand;
    return typeof command?.job === 'string' ? command : undefined;
  } catch {
    return undefined;
  }
}
