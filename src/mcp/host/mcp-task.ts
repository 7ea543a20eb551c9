import type { CallOptions } from '../../core/index.js';
import type { MCPTaskView } from './mcp-task-view.js';
import type { ToolAnswer, ToolCallOptions } from './types.js';

/** How a {@link MCPTask} reaches its server. */
export interface TaskSource {
  getTask(taskId: string, options: CallOptions): Promise<MCPTaskView>;
  cancelTask(taskId: string, options: CallOptions): Promise<void>;
  followTask(taskId: string, options: ToolCallOptions): Promise<ToolAnswer>;
}

/**
 * A call of a tool that goes on by itself. Keep `taskId` and hand it to `resumeTask` to come back to it
 * later, also from another process. Made by `startTask` and `resumeTask`.
 *
 * @example
 * const task = await client.startTask('transcode', { film: 'a.mov' });
 * await save(task.taskId);
 * const { text } = await task.result({ timeoutMs: 3_600_000 });
 */
export class MCPTask {
  /** The server's name for it; undefined when the server answered at once and there is nothing to come back to. */
  readonly taskId: string | undefined;
  readonly #source: TaskSource;
  readonly #answer: ToolAnswer | undefined;

  /** @internal */
  constructor(source: TaskSource, begun: { readonly taskId: string } | ToolAnswer) {
    this.#source = source;
    this.taskId = 'taskId' in begun ? begun.taskId : undefined;
    this.#answer = 'taskId' in begun ? undefined : begun;
  }

  /**
   * How the task is now; undefined when it was answered at once.
   *
   * @throws ProtocolError when the server does not know it, or no longer
   */
  async state(options: CallOptions = {}): Promise<MCPTaskView | undefined> {
    return this.taskId === undefined ? undefined : this.#source.getTask(this.taskId, options);
  }

  /**
   * Waits for the answer, and answers the task's questions on the way. The end of this wait, by signal or
   * time, leaves the task as it is: wait again, or `cancel` it.
   *
   * @throws MCPTaskCanceledError; ProtocolError when it failed or is unknown; ConnectionError; TimeoutError
   */
  async result(options: ToolCallOptions = {}): Promise<ToolAnswer> {
    return this.#answer ?? this.#source.followTask(this.taskId as string, options);
  }

  /** Tells the server that the answer is not wanted. It may take its time, or complete the task nevertheless. */
  async cancel(options: CallOptions = {}): Promise<void> {
    if (this.taskId !== undefined) await this.#source.cancelTask(this.taskId, options);
  }
}
