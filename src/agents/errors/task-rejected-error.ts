import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/** Why a task was refused: nobody can do it, the agent asked does not want it, or it was handed on too often. */
export type TaskRejection = 'no-agent' | 'not-handled' | 'too-deep';

/** A task was refused before it ran. */
export class TaskRejectedError extends SaflaError {
  static {
    nameError(this, 'TaskRejectedError');
  }

  readonly rejection: TaskRejection;

  constructor(message: string, rejection: TaskRejection) {
    super(message, { code: 'TASK_REJECTED' });
    this.rejection = rejection;
  }
}
