import { ProtocolError } from '../../core/index.js';
import type { MCPTaskState, MCPTaskStatus } from '../server/task-state.js';

/** A task as its server shows it (`DetailedTask` of the extension); other servers than ours leave more open. */
export type MCPTaskView = Omit<MCPTaskState, 'ttlMs' | 'pollIntervalMs'> & {
  /** How long after `createdAt` the task can be asked for; null for ever. */
  readonly ttlMs: number | null;
  /** How long to wait between two requests. */
  readonly pollIntervalMs?: number;
};

const statuses: ReadonlySet<unknown> = new Set<MCPTaskStatus>([
  'working',
  'input_required',
  'completed',
  'failed',
  'cancelled',
]);

/**
 * @param subject The answer as it reads in messages.
 * @throws ProtocolError for what is no task
 */
export function readTask(subject: string, value: unknown): MCPTaskView {
  const task = Object(value) as MCPTaskView;
  if (typeof task.taskId !== 'string' || task.taskId === '' || !statuses.has(task.status))
    throw new ProtocolError(`${subject} was answered with a task that has no taskId or an unknown status`);
  return task;
}
