import {
  type CallOptions,
  type Closeable,
  ClosedError,
  type CloseOptions,
  Lifecycle,
  NotFoundError,
  openScope,
  Telemetry,
} from '../../core/index.js';
import { checkOptions, encodeJSON, is } from '../../core/internal.js';
import { KeyedRuns } from '../keyed-runs.js';
import { checkSubmitOptions } from '../submit-options.js';
import { type Task, type TaskDraft, type TaskResult, taskOf } from '../task.js';
import type { SubmitOptions, TaskHandle, TaskSubmitter } from '../task-handle.js';
import { TaskRun } from '../task-run.js';
import { connectionChecks, type FleetConnectionOptions, fleetConnection } from './fleet-options.js';
import { FleetQueue, failureOf } from './fleet-queue.js';

/** Settings of an {@link AgentFleet}. */
export interface AgentFleetOptions extends FleetConnectionOptions {
  /** How often a task that failed with something retryable is done in all. @default 1 */
  readonly attempts?: number;
  /** The pause before the second attempt, in milliseconds; each further one is twice as long, with jitter. @default 1000 */
  readonly baseDelayMs?: number;
  /** How long finished tasks are kept, for idempotency keys and for submitters that were away, in milliseconds. @default 3600000 */
  readonly keepMs?: number;
  /** Dead letters that are kept; the oldest go first. @default 10000 */
  readonly maxDeadLetters?: number;
  /** How often a task is looked after that nothing was heard of, in milliseconds. @default 5000 */
  readonly pollMs?: number;
}

/** A task that no worker could do. */
export interface FleetDeadLetter {
  /** For {@link AgentFleet.requeue}. */
  readonly id: string;
  readonly task: Task<unknown>;
  readonly result: TaskResult;
  /** Milliseconds since the epoch. */
  readonly failedAt: number;
}

/** A task that was given to a fleet. */
export interface FleetTaskHandle extends TaskHandle {
  /** Resolves once Redis has the task: from then on it is done even when this process ends. Rejects when it ended before. */
  readonly stored: Promise<void>;
}

/**
 * Gives tasks to the {@link AgentWorker}s of a queue on Redis: a pool whose agents are in other processes. Tasks
 * survive this process and every worker; with an idempotency key, a task that is submitted again after a restart
 * is found again with its result.
 *
 * Canceling ends the handle at once; the worker that has the task is told until it has heard.
 *
 * @example
 * await using agents = new AgentFleet({ url: process.env.REDIS_URL });   // was: new AgentPool([new Researcher()])
 * const { data } = await agents.submit({ type: 'research', parameters: { topic: 'tides' } }).result;
 */
export class AgentFleet implements Closeable, TaskSubmitter {
  readonly #lifecycle: Lifecycle = new Lifecycle('AgentFleet');
  readonly #queue: FleetQueue;
  readonly #keys: KeyedRuns = new KeyedRuns();

  /** @throws ConfigurationError */
  constructor(options: AgentFleetOptions) {
    checkOptions<AgentFleetOptions>('AgentFleet', options, {
      ...connectionChecks,
      attempts: is.count,
      baseDelayMs: is.countOrZero,
      keepMs: is.countOrZero,
      maxDeadLetters: is.count,
      pollMs: is.milliseconds,
    });
    const { attempts = 1, baseDelayMs = 1_000, keepMs = 3_600_000, maxDeadLetters = 10_000, pollMs = 5_000 } = options;
    const settings = { attempts, baseDelayMs, keepMs, maxDeadLetters, pollMs };
    const { logger } = new Telemetry('agents', options.telemetry);
    this.#queue = new FleetQueue(fleetConnection('AgentFleet', options), settings, logger);
  }

  /**
   * Queues a task. What comes of it, a Redis that cannot be reached included, is in the handle.
   *
   * @throws ValidationError for a task that is none or that JSON cannot carry, ConfigurationError, ClosedError
   */
  submit(draft: TaskDraft<unknown>, options: SubmitOptions = {}): FleetTaskHandle {
    this.#lifecycle.assertOpen();
    checkSubmitOptions('submit', options);
    const task = taskOf(draft);
    encodeJSON(task, `task '${task.id}'`);
    // BullMQ takes an id once, so a task's own id is a key as well.
    const key = options.idempotencyKey ?? task.id;
    const joined = this.#keys.join(key, task, options);
    if (joined) return Object.assign(joined, { stored: this.#queue.find(key)?.stored ?? Promise.resolve() });
    const run = new TaskRun(task, options);
    this.#keys.keep(key, run);
    return Object.assign(run, { stored: this.#queue.send(run, key).stored });
  }

  /** Tasks of this process that are not final, and those that workers still have to hear of. */
  get size(): number {
    return this.#queue.size;
  }

  /** The tasks that no worker could do, the last one first. */
  async *deadLetters(): AsyncGenerator<FleetDeadLetter, void, void> {
    this.#lifecycle.assertOpen();
    const queue = await this.#queue.queue();
    for (let start = 0; ; start += 100) {
      const jobs = await queue.getFailed(start, start + 99);
      for (const job of jobs) {
        yield { id: job.id ?? '', task: job.data.task, result: failureOf(job), failedAt: job.finishedOn ?? 0 };
      }
      if (jobs.length < 100) return;
    }
  }

  /** Queues a dead letter again. @throws NotFoundError when there is none with this id */
  async requeue(id: string, options: CallOptions = {}): Promise<void> {
    await this.#lifecycle.call(`requeue of '${id}'`, options, async () => {
      const job = await (await this.#queue.queue()).getJob(id);
      if (!job || !(await job.isFailed())) throw new NotFoundError(`There is no dead letter '${id}'`);
      await job.retry('failed', { resetAttemptsMade: true });
    });
  }

  /** Resolves when the tasks of this process are final. @throws the signal's reason, or TimeoutError */
  async drain(options: CallOptions = {}): Promise<void> {
    using scope = openScope('drain of AgentFleet', options);
    await scope.run(() => this.#queue.idle());
  }

  /**
   * Closes the connections. Tasks that Redis has are not canceled: workers do them, and a submit with the same
   * idempotency key gets their result later. Their handles here end as `canceled` with the code `CLOSED`.
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => this.#queue.close(new ClosedError('AgentFleet')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
