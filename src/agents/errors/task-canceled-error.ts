import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/** The reason of a task that was canceled by its handle with a text or without a reason. */
export class TaskCanceledError extends SaflaError {
  static {
    nameError(this, 'TaskCanceledError');
  }

  constructor(subject: string, reason?: string) {
    super(`${subject} was canceled${reason ? `: ${reason}` : ''}`, { code: 'TASK_CANCELED' });
  }
}
