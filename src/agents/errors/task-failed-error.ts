import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';
import type { TaskResult } from '../task.js';

/** A task that was handed to another agent did not complete. Retryable when its own failure is. */
export class TaskFailedError extends SaflaError {
  static {
    nameError(this, 'TaskFailedError');
  }

  readonly result: TaskResult;

  constructor(subject: string, result: TaskResult) {
    const { state = 'failed', retryable = false } = result.metadata;
    super(`${subject} ${state === 'failed' ? 'failed' : `was ${state}`}: ${result.error ?? 'no reason given'}`, {
      code: 'TASK_FAILED',
      retryable,
    });
    this.result = result;
  }
}
