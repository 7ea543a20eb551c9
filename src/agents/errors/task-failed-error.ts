import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';
import type { TaskResult } from '../task.js';

/**
 * A task that was handed to another agent did not complete. Retryable when its own failure is. When it was handed on
 * further, the message is about the one that failed in the end.
 */
export class TaskFailedError extends SaflaError {
  static {
    nameError(this, 'TaskFailedError');
  }

  readonly result: TaskResult;

  constructor(subject: string, result: TaskResult) {
    const { state = 'failed', retryable = false, code } = result.metadata;
    const reason = result.error ?? 'no reason given';
    const message = `${subject} ${state === 'failed' ? 'failed' : `was ${state}`}: ${reason}`;
    super(code === 'TASK_FAILED' ? reason : message, { code: 'TASK_FAILED', retryable });
    this.result = result;
  }
}
