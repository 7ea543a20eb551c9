import type { AgentTaskEvent, AgentTaskHandle, AgentTaskResult } from './agent-source.js';
import type { Principal } from './tool.js';
import { ToolError } from './tool-error.js';

/** What is known of a task that was started. */
export interface BoardTask {
  readonly handle: AgentTaskHandle;
  /** Who may see it; undefined for the process's owner. */
  readonly owner: string | undefined;
  progress: Pick<AgentTaskEvent, 'progress' | 'total' | 'message'> | undefined;
  question: AgentTaskEvent['question'];
  result: AgentTaskResult | undefined;
}

/** The tasks that callers may ask about. Final ones go first when there are too many. */
export class TaskBoard {
  readonly #tasks: Map<string, BoardTask> = new Map();
  readonly #maxTasks: number;

  constructor(maxTasks: number) {
    this.#maxTasks = maxTasks;
  }

  /** @throws ToolError when all places are taken by tasks that run */
  assertRoom(): void {
    if (this.#tasks.size < this.#maxTasks) return;
    const [id] = [...this.#tasks].find(([, { result }]) => result !== undefined) ?? [];
    if (id === undefined) throw new ToolError(`${this.#maxTasks} tasks run already; wait for one, or cancel one`);
    this.#tasks.delete(id);
  }

  /** Follows a task from its first event on. `onEvent` is told of each one until the task is final. */
  add(handle: AgentTaskHandle, principal: Principal | undefined, onEvent?: (event: AgentTaskEvent) => void): BoardTask {
    const task: BoardTask = {
      handle,
      owner: principal?.id,
      progress: undefined,
      question: undefined,
      result: undefined,
    };
    this.#tasks.set(handle.id, task);
    follow(task, onEvent).catch(() => undefined);
    handle.result.then((result) => {
      task.result = result;
      task.question = undefined;
    });
    return task;
  }

  remove(task: BoardTask): void {
    this.#tasks.delete(task.handle.id);
  }

  /** @throws ToolError for a task that is not known, or not the caller's: which of the two is not told */
  find(id: string, principal: Principal | undefined): BoardTask {
    const task = this.#tasks.get(id);
    if (task && task.owner === principal?.id) return task;
    throw new ToolError(`There is no task '${id}'; final tasks are forgotten after a while`);
  }
}

async function follow(task: BoardTask, onEvent: ((event: AgentTaskEvent) => void) | undefined): Promise<void> {
  for await (const event of task.handle.events) {
    if (event.type === 'progress') task.progress = event;
    if (event.type === 'status') task.question = event.state === 'input-required' ? event.question : undefined;
    onEvent?.(event);
  }
}
