import { randomUUID } from 'node:crypto';
import { quietClock } from '../../core/index.js';
import type { TaskRun } from './task-run.js';
import type { MCPTaskStatus } from './task-state.js';
import type { ToolTasks } from './tool-tasks.js';

/** A JSON-RPC message, of which only what is looked at here is known. */
export interface RPCMessage {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: {
    readonly uri?: unknown;
    readonly notifications?: ListenFilter;
    readonly _meta?: Readonly<Record<string, unknown>>;
  };
}

/** What a client wants to hear of, by `subscriptions/listen`. `taskIds` is of the tasks extension (SEP-2663). */
interface ListenFilter {
  readonly resourceSubscriptions?: unknown;
  readonly taskIds?: unknown;
}

/** How often a task's `statusMessage` is told at most, in milliseconds; another status is told at once. */
const everyMs = 100;

/**
 * `notifications/tasks`: tells clients that listen to a task how it is (SEP-2663, "Task Status
 * Notifications"). The SDK serves `subscriptions/listen`, but knows no tasks; so a task goes through
 * it as a resource, whose URI begins with a secret of this server: no client can name or see one.
 */
export class TaskNews {
  readonly #tasks: Pick<ToolTasks, 'find' | 'run'>;
  readonly #tell: (uri: string) => void;
  readonly #prefix: string = `task-${randomUUID()}:`;
  readonly #told: Map<string, { readonly status: MCPTaskStatus; readonly at: number; readonly later?: () => void }> =
    new Map();

  /** @param tell Tells those who subscribed to the resource of this URI. */
  constructor(tasks: Pick<ToolTasks, 'find' | 'run'>, tell: (uri: string) => void) {
    this.#tasks = tasks;
    this.#tell = tell;
  }

  /** Tells of the task's state, now or a little later. */
  changed(run: TaskRun): void {
    const { id, status, final } = run;
    const told = this.#told.get(id);
    const now = performance.now();
    const waitMs = told && told.status === status ? told.at + everyMs - now : 0;
    if (waitMs > 0) {
      if (told && !told.later)
        this.#told.set(id, { ...told, later: quietClock.schedule(() => this.#tellNow(run), waitMs) });
      return;
    }
    told?.later?.();
    if (final) this.#told.delete(id);
    else this.#told.set(id, { status, at: now });
    this.#tell(this.#prefix + id);
  }

  /**
   * A request to listen, as the SDK understands it: tasks that are the caller's become resources.
   * Undefined for what is no request to listen to tasks.
   */
  asResources(message: RPCMessage, owner: string): RPCMessage | undefined {
    const { taskIds, ...filter } = message.params?.notifications ?? {};
    if (message.method !== 'subscriptions/listen' || !Array.isArray(taskIds)) return undefined;
    const own = taskIds.filter((id): id is string => typeof id === 'string' && !!this.#tasks.find(id, owner));
    const named = Array.isArray(filter.resourceSubscriptions) ? filter.resourceSubscriptions : [];
    const resourceSubscriptions = [...named, ...new Set(own.map((id) => this.#prefix + id))];
    return { ...message, params: { ...message.params, notifications: { ...filter, resourceSubscriptions } } };
  }

  /**
   * A message of the SDK to a client that listens, as the client understands it. The acknowledgement is
   * followed by how each task is, so that no change is missed between its begin and the request to listen.
   */
  asTasks(message: RPCMessage): readonly RPCMessage[] {
    const { method, params } = message;
    if (method === 'notifications/resources/updated') {
      const taskId = this.#taskOf(params?.uri);
      return taskId === undefined ? [message] : this.#notification(taskId, params?._meta);
    }
    const named = params?.notifications?.resourceSubscriptions;
    if (method !== 'notifications/subscriptions/acknowledged' || !Array.isArray(named)) return [message];
    const taskIds = named.map((uri) => this.#taskOf(uri)).filter((id) => id !== undefined);
    if (taskIds.length === 0) return [message];
    const { resourceSubscriptions: _, ...others } = params?.notifications ?? {};
    const resources = named.filter((uri) => this.#taskOf(uri) === undefined);
    const honored = { ...others, ...(resources.length > 0 ? { resourceSubscriptions: resources } : {}), taskIds };
    const acknowledged = { ...message, params: { ...params, notifications: honored } };
    return [acknowledged, ...taskIds.flatMap((id) => this.#notification(id, params?._meta))];
  }

  close(): void {
    for (const { later } of this.#told.values()) later?.();
    this.#told.clear();
  }

  #tellNow(run: TaskRun): void {
    this.#told.delete(run.id);
    this.changed(run);
  }

  #taskOf(uri: unknown): string | undefined {
    return typeof uri === 'string' && uri.startsWith(this.#prefix) ? uri.slice(this.#prefix.length) : undefined;
  }

  #notification(taskId: string, _meta: Readonly<Record<string, unknown>> | undefined): RPCMessage[] {
    const state = this.#tasks.run(taskId)?.state;
    return state
      ? [{ jsonrpc: '2.0', method: 'notifications/tasks', params: { ...state, ...(_meta && { _meta }) } }]
      : [];
  }
}
