import {
  type CallOptions,
  type Closeable,
  ClosedError,
  ConfigurationError,
  detach,
  Lifecycle,
  NotFoundError,
  openScope,
  Telemetry,
  type TelemetryOptions,
} from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import { Agent } from './agent.js';
import { type AgentCloseOptions, closeTimeOf } from './agent-close-options.js';
import { KeyedRuns } from './keyed-runs.js';
import { PoolRouter } from './pool-router.js';
import { checkSubmitOptions } from './submit-options.js';
import { type TaskDraft, taskOf } from './task.js';
import type { SubmitOptions, TaskHandle, TaskSubmitter } from './task-handle.js';
import { TaskRun } from './task-run.js';

/** Any agent, whatever it takes and makes. */
export type AnyAgent = Agent<never, unknown>;

/** Settings of an {@link AgentPool}. */
export interface AgentPoolOptions {
  /** How often a task may be handed on by `ctx.delegate`; one more is refused with who is in the circle. @default 8 */
  readonly maxDepth?: number;
  readonly telemetry?: TelemetryOptions;
}

/**
 * Gives each task to an agent that can do it: one that has the task's `capability`, says so in `canHandle`,
 * and stands first among those: with a free place before without, then by the agent's `priority`, then by how
 * full it is. What an agent hands on comes back to it, or to those that handed it on before, only when no other
 * agent can do it. A task that nobody can do is rejected, with who was asked. The agents stay their owner's: closing
 * the pool does not close them.
 *
 * @example
 * await using pool = new AgentPool([new Researcher(), new Writer()]);
 * const { data } = await pool.submit({ type: 'article', parameters: { topic: 'tides' } }).result;
 */
export class AgentPool implements Closeable, TaskSubmitter {
  readonly #lifecycle: Lifecycle = new Lifecycle('AgentPool');
  readonly #router: PoolRouter;
  readonly #keys: KeyedRuns = new KeyedRuns();
  #draining = false;

  /** @throws ConfigurationError */
  constructor(agents: Iterable<AnyAgent> = [], options: AgentPoolOptions = {}) {
    checkOptions<AgentPoolOptions>('AgentPool', options, { maxDepth: is.countOrZero, telemetry: is.object });
    if (typeof agents?.[Symbol.iterator] !== 'function') {
      throw new ConfigurationError('AgentPool takes a list of agents', { field: 'AgentPool.agents' });
    }
    const { logger } = new Telemetry('agents', options.telemetry);
    this.#router = new PoolRouter(options.maxDepth ?? 8, logger);
    for (const agent of agents) this.add(agent);
  }

  /** The agents that take tasks now, in the order in which they came. */
  get agents(): readonly AnyAgent[] {
    return this.#router.agents;
  }

  /** @throws ConfigurationError for what is no agent, or an id that is taken */
  add(agent: AnyAgent): this {
    this.#lifecycle.assertOpen();
    if (!(agent instanceof Agent))
      throw new ConfigurationError('A pool takes agents that extend Agent', { field: 'agent' });
    if (this.agents.some(({ id }) => id === agent.id)) {
      throw new ConfigurationError(`The pool has an agent '${agent.id}' already`, { field: 'agent' });
    }
    this.#router.add(agent);
    return this;
  }

  /**
   * Gives an agent no more tasks from now on, and resolves when those it has from this pool are final.
   *
   * @throws NotFoundError, the signal's reason or TimeoutError; the agent stays removed
   */
  async remove(agent: AnyAgent | string, options: CallOptions = {}): Promise<void> {
    const id = typeof agent === 'string' ? agent : agent.id;
    using scope = openScope(`removal of agent '${id}'`, options);
    const gone = this.#router.remove(id);
    if (!gone) throw new NotFoundError(`The pool has no agent '${id}'`);
    await scope.run(() => gone);
  }

  /**
   * Gives a task to an agent. What comes of it, a refusal included, is in the handle.
   *
   * @throws ValidationError for a task that is none, ConfigurationError for wrong options, ClosedError after `drain` or `close`
   */
  submit(task: TaskDraft<unknown>, options: SubmitOptions = {}): TaskHandle {
    this.#lifecycle.assertOpen();
    if (this.#draining) throw new ClosedError('AgentPool drains: its queue');
    checkSubmitOptions('submit', options);
    const whole = taskOf(task);
    const { idempotencyKey } = options;
    const joined = idempotencyKey === undefined ? undefined : this.#keys.join(idempotencyKey, whole, options);
    if (joined) return joined;
    const run = new TaskRun(whole, options);
    if (idempotencyKey !== undefined) this.#keys.keep(idempotencyKey, run);
    this.#router.route(run);
    return run;
  }

  /** Tasks that are not final. */
  get size(): number {
    return this.#router.size;
  }

  /** Takes no more tasks from now on, and resolves when those it has are final. @throws the signal's reason, or TimeoutError */
  async drain(options: CallOptions = {}): Promise<void> {
    using scope = openScope('drain of AgentPool', options);
    this.#draining = true;
    await scope.run(() => this.#router.idle());
  }

  /** Takes no more tasks, cancels those that have not begun, lets the others finish for `graceMs`, then cancels them too. */
  async close(options: AgentCloseOptions = {}): Promise<void> {
    const time = closeTimeOf(options);
    const error = new ClosedError('AgentPool');
    if (!this.#lifecycle.closed) {
      const router = this.#router;
      detach(() =>
        this.#lifecycle.call('its tasks', {}, (scope) => {
          scope.onCancel(() => router.cancel(error));
          return router.idle();
        }),
      ).catch(() => undefined);
    }
    const closed = this.#lifecycle.close(time, () => undefined);
    if (this.#lifecycle.closed) this.#router.cancel(error, 'submitted');
    return closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
