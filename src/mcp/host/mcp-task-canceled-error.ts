import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/** A task of an MCP server ended without an answer, because somebody or the server cancelled it. */
export class MCPTaskCanceledError extends SaflaError {
  static {
    nameError(this, 'MCPTaskCanceledError');
  }

  readonly taskId: string;

  constructor(
    subject: string,
    { taskId, statusMessage }: { readonly taskId: string; readonly statusMessage?: string },
  ) {
    super(`${subject} was cancelled on the server${statusMessage === undefined ? '' : `: ${statusMessage}`}`, {
      code: 'TASK_CANCELED',
    });
    this.taskId = taskId;
  }
}
