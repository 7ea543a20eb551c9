import {
  type Awaitable,
  type CallOptions,
  type Closeable,
  ClosedError,
  detach,
  Lifecycle,
  openScope,
  systemClock,
  TypedEmitter,
} from '../core/index.js';
import { Retry } from '../resilience/retry.js';
import type { AgentCapability } from './agent-capabilities.js';
import { type AgentCloseOptions, closeTimeOf } from './agent-close-options.js';
import { type AgentOptions, checkAgentOptions } from './agent-options.js';
import { AgentTelemetry } from './agent-telemetry.js';
import { toolCaller } from './agent-tools.js';
import { Dispatcher } from './dispatcher.js';
import { KeyedRuns } from './keyed-runs.js';
import { checkSubmitOptions } from './submit-options.js';
import { type Task, type TaskDraft, type TaskResult, type TaskState, taskOf } from './task.js';
import type { TaskContext } from './task-context.js';
import type { SubmitOptions, TaskHandle } from './task-handle.js';
import { TaskRun } from './task-run.js';

/** What an agent does. `completed` and `failed` are only there when its own code says so by `updateStatus`. */
export type AgentStatus = 'idle' | 'processing' | 'draining' | 'closed' | 'completed' | 'failed';

/** The events of an {@link Agent}. */
export interface AgentEvents {
  /** The agent's status changed, or its own code reported one. */
  status: [status: AgentStatus];
  /** A submitted task changed its state. */
  task: [change: { readonly task: Task<unknown>; readonly state: TaskState }];
}

let dispatcherIn: (agent: Agent<unknown, unknown>) => Dispatcher;

/**
 * The base of an agent. A subclass says what to do with one task in `execute`; queueing by priority, limits,
 * checks, timeouts, retries, cancellation and events come from here, with `submit`. `execute` can also be
 * called directly: it is a plain method then.
 *
 * @example
 * class Summarizer extends Agent<{ text: string }, string> {
 *   constructor() {
 *     super('summarizer', { capabilities: ['text-generation'], maxConcurrentTasks: 2, timeoutMs: 30_000 });
 *   }
 *   execute({ parameters }: Task<{ text: string }>, { signal }: TaskContext): Promise<string> {
 *     return summarize(parameters.text, signal);
 *   }
 * }
 * const { success, data, error } = await new Summarizer().submit({ type: 'summary', parameters: { text } }).result;
 */
export abstract class Agent<I = Record<string, unknown>, O = unknown>
  extends TypedEmitter<AgentEvents>
  implements Closeable
{
  static {
    dispatcherIn = (agent) => agent.#dispatcher;
  }

  readonly id: string;
  readonly capabilities: readonly AgentCapability[];
  readonly maxConcurrentTasks: number;
  /** Of agents that can do a task, a pool asks the one with the highest. */
  readonly priority: number;
  readonly #lifecycle: Lifecycle;
  readonly #telemetry: AgentTelemetry;
  readonly #dispatcher: Dispatcher;
  readonly #keys: KeyedRuns = new KeyedRuns();
  #draining = false;
  #reported: AgentStatus | undefined;

  /** @throws ConfigurationError */
  constructor(id: string, options: AgentOptions<I, O> = {}) {
    super();
    checkAgentOptions(id, options);
    const { capabilities = [], maxConcurrentTasks = 1, priority = 0, retry = false, tools } = options;
    this.id = id;
    this.capabilities = Object.freeze([...capabilities]);
    this.maxConcurrentTasks = maxConcurrentTasks;
    this.priority = priority;
    const telemetry = new AgentTelemetry(id, options.telemetry);
    this.#telemetry = telemetry;
    this.#lifecycle = new Lifecycle(`Agent '${id}'`);
    const handlesAll = this.canHandle === Agent.prototype.canHandle;
    this.#dispatcher = new Dispatcher({
      id,
      maxConcurrentTasks,
      maxQueue: options.maxQueue ?? 1_000,
      timeoutMs: options.timeoutMs ?? Number.POSITIVE_INFINITY,
      retry: retry ? new Retry(retry) : undefined,
      input: options.input,
      output: options.output,
      clock: options.clock ?? systemClock,
      memory: options.memory,
      tools: tools && toolCaller(tools),
      logger: telemetry.logger,
      canHandle: handlesAll ? undefined : (task) => this.canHandle(task as Task<I>),
      execute: (task, context) =>
        telemetry.tracing
          ? telemetry.attempt(task, context.attempt, async () => this.execute(task as Task<I>, context))
          : this.execute(task as Task<I>, context),
      onBusy: (busy) => this.#changed(busy),
      onTask: (run) => {
        if (run.final) telemetry.ended(run);
        if (this.listenerCount('task') > 0) this.emit('task', { task: run.task, state: run.state });
      },
    });
  }

  /** Whether the agent takes a task; asked before it is queued. @default it takes every task */
  canHandle(_task: Task<I>): Awaitable<boolean> {
    return true;
  }

  /**
   * Does one task. What it returns is the result's `data`, unless it is a {@link TaskResult} itself: an object
   * with a boolean `success` and no members but `data`, `error` and `metadata`. What it throws makes the task fail.
   */
  abstract execute(task: Task<I>, context: TaskContext): Awaitable<TaskResult<O> | O>;

  /**
   * Queues a task. It never runs inside this call. What comes of it, a refusal by schema, by `canHandle` or
   * for want of room included, is in the handle.
   *
   * @throws ValidationError for a task that is none, ConfigurationError for wrong options, ClosedError after `drain` or `close`
   */
  submit(task: TaskDraft<I>, options: SubmitOptions = {}): TaskHandle<O> {
    this.#lifecycle.assertOpen();
    if (this.#draining) throw new ClosedError(`Agent '${this.id}' drains: its queue`);
    checkSubmitOptions('submit', options);
    const whole = taskOf(task);
    const { idempotencyKey } = options;
    const joined = idempotencyKey === undefined ? undefined : this.#keys.join(idempotencyKey, whole, options);
    if (joined) return joined as TaskHandle<O>;
    const run = new TaskRun(whole, options);
    if (idempotencyKey !== undefined) this.#keys.keep(idempotencyKey, run);
    this.#dispatcher.accept(run);
    return run as TaskHandle<unknown> as TaskHandle<O>;
  }

  get status(): AgentStatus {
    if (this.#lifecycle.closed) return 'closed';
    if (this.#draining) return 'draining';
    return this.#dispatcher.size > 0 ? 'processing' : (this.#reported ?? 'idle');
  }

  /** Submitted tasks that run now. */
  get running(): number {
    return this.#dispatcher.running;
  }

  /** Submitted tasks that wait for their turn. */
  get queued(): number {
    return this.#dispatcher.waiting;
  }

  /**
   * For `execute`: reports how it goes, as a `status` event. Between direct calls of `execute` it is also the
   * `status`; with submitted tasks that follows from what runs.
   */
  updateStatus(status: AgentStatus): void {
    this.#reported = status;
    this.emit('status', status);
  }

  /**
   * Takes no more tasks from now on, and resolves when those it has are final.
   *
   * @throws the signal's reason, or TimeoutError; the agent goes on draining
   */
  async drain(options: CallOptions = {}): Promise<void> {
    using scope = openScope(`drain of agent '${this.id}'`, options);
    if (!this.#draining && !this.#lifecycle.closed) {
      this.#draining = true;
      this.emit('status', 'draining');
    }
    await scope.run(() => this.#dispatcher.idle());
  }

  /** Takes no more tasks, cancels those that have not begun, lets the others finish for `graceMs`, then cancels them too. */
  async close(options: AgentCloseOptions = {}): Promise<void> {
    const time = closeTimeOf(options);
    const error = new ClosedError(`Agent '${this.id}'`);
    if (!this.#lifecycle.closed) {
      const dispatcher = this.#dispatcher;
      // One call that lasts as long as any task: closing waits for it, and cancels it at the deadline.
      detach(() =>
        this.#lifecycle.call('its tasks', {}, (scope) => {
          scope.onCancel(() => dispatcher.cancelAll(error));
          return dispatcher.idle();
        }),
      ).catch(() => undefined);
    }
    const closed = this.#lifecycle.close(time, () => undefined);
    if (this.#lifecycle.closed) this.#dispatcher.cancelQueued(error);
    return closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected override onListenerError(error: unknown, event: string): void {
    this.#telemetry.logger.error({ agent: this.id, event, error }, 'a listener of an agent failed');
  }

  #changed(busy: boolean): void {
    this.#reported = undefined;
    if (!this.#draining && !this.#lifecycle.closed) this.emit('status', busy ? 'processing' : 'idle');
  }
}

/** For the pool: what runs an agent's tasks. */
export function dispatcherOf(agent: Agent<unknown, unknown>): Dispatcher {
  return dispatcherIn(agent);
}
