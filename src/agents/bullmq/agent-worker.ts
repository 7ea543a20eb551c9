import type { Job, Worker } from 'bullmq';
import { contextStore } from '../../core/context-store.js';
import {
  type CallOptions,
  type Closeable,
  ClosedError,
  type CloseOptions,
  ConfigurationError,
  Lifecycle,
  type Logger,
  openScope,
  Telemetry,
} from '../../core/index.js';
import { checkOptions, is, lazy } from '../../core/internal.js';
import { RedisConnection, RedisSubscriber } from '../../drivers/redis/index.js';
import { TaskCanceledError } from '../errors/task-canceled-error.js';
import { failedResult } from '../failed-result.js';
import type { TaskResult } from '../task.js';
import type { TaskHandle, TaskSubmitter } from '../task-handle.js';
import { commandChannel, type FleetCommand, type FleetJob, priorityOf, readCommand } from './fleet-job.js';
import {
  connectionChecks,
  type FleetConnection,
  type FleetConnectionOptions,
  fleetConnection,
} from './fleet-options.js';
import { loadBullMQ } from './load-bullmq.js';
import { WorkerTask } from './worker-task.js';

/** Settings of an {@link AgentWorker}. */
export interface AgentWorkerOptions extends FleetConnectionOptions {
  /** Tasks that this process takes at the same time. @default 16 */
  readonly concurrency?: number;
  /**
   * How long a worker may be silent before its tasks go to others, in milliseconds. A worker that lives tells
   * so twice in this time; keep it above the longest time that its event loop may be blocked.
   *
   * @default 30000
   */
  readonly deadAfterMs?: number;
  /** How many workers may die over one task before it becomes a dead letter. @default 3 */
  readonly maxDeaths?: number;
}

/**
 * Does the tasks of a queue on Redis, with the same agents that work in process. Start as many as there is work
 * for, on as many machines as there are. A worker that is killed loses nothing: its tasks go to others.
 * Delivery is at least once, so effects should depend on the task's id.
 *
 * @example
 * await using worker = new AgentWorker(new AgentPool([new Researcher()]), { url: process.env.REDIS_URL });
 * await worker.start();
 */
export class AgentWorker implements Closeable {
  readonly #agents: TaskSubmitter;
  readonly #options: AgentWorkerOptions;
  readonly #where: FleetConnection;
  readonly #logger: Logger;
  readonly #lifecycle: Lifecycle = new Lifecycle('AgentWorker');
  readonly #redis: RedisConnection;
  readonly #commands: RedisSubscriber;
  readonly #running: Map<string, WorkerTask> = new Map();
  readonly #open: () => Promise<Worker<FleetJob, TaskResult>> = lazy(() => this.#start());
  #worker: Worker<FleetJob, TaskResult> | undefined;
  #closing = false;

  /** @throws ConfigurationError */
  constructor(agents: TaskSubmitter, options: AgentWorkerOptions) {
    if (typeof agents?.submit !== 'function') {
      throw new ConfigurationError('AgentWorker needs an agent or a pool, something with submit', { field: 'agents' });
    }
    checkOptions<AgentWorkerOptions>('AgentWorker', options, {
      ...connectionChecks,
      concurrency: is.count,
      deadAfterMs: is.milliseconds,
      maxDeaths: is.countOrZero,
    });
    this.#agents = agents;
    this.#options = options;
    this.#where = fleetConnection('AgentWorker', options);
    this.#logger = new Telemetry('agents', options.telemetry).logger;
    this.#redis = new RedisConnection(this.#where.target, 5_000);
    this.#commands = new RedisSubscriber(this.#redis, { sharded: false });
  }

  /** Tasks that this worker has now. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Connects and begins to take tasks.
   *
   * @param options `timeoutMs` is 30,000 by default; Redis may come later, the worker goes on trying
   * @throws MissingDependencyError without bullmq, TimeoutError, ClosedError
   */
  async start(options: CallOptions = {}): Promise<void> {
    this.#lifecycle.assertOpen();
    using scope = openScope('start of AgentWorker', { timeoutMs: 30_000, ...options });
    await scope.run(this.#open);
  }

  /**
   * Takes no more tasks, lets those it has finish until the deadline, then cancels them and gives them back to
   * the queue, where other workers find them at once.
   */
  close(options: CloseOptions = {}): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#drainWithin();
    }
    return this.#lifecycle.close(options, async () => {
      await this.#worker?.close();
      this.#commands.close();
      this.#redis.disconnect();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One call that lasts as long as any task: closing waits for it, and ends the tasks at the deadline. */
  #drainWithin(): void {
    this.#worker?.pause(true).catch(() => undefined);
    this.#lifecycle
      .call('its tasks', {}, (scope) => {
        scope.onCancel((reason) => {
          for (const { handle } of this.#running.values()) handle.cancel(reason);
        });
        return Promise.all(Array.from(this.#running.values(), ({ handle }) => handle.result));
      })
      .catch(() => undefined);
  }

  async #start(): Promise<Worker<FleetJob, TaskResult>> {
    const { Worker: BullWorker } = await loadBullMQ('AgentWorker');
    const { queue, prefix, connection } = this.#where;
    const { concurrency = 16, deadAfterMs = 30_000, maxDeaths = 3 } = this.#options;
    await this.#commands.add(commandChannel(prefix, queue), (text) => this.#obey(readCommand(text)));
    const worker = new BullWorker<FleetJob, TaskResult>(queue, (job, token) => this.#process(job, token), {
      connection,
      prefix,
      concurrency,
      lockDuration: deadAfterMs,
      stalledInterval: deadAfterMs,
      maxStalledCount: maxDeaths,
    });
    this.#worker = worker;
    worker.on('error', (error) => this.#logger.error({ queue, error }, 'a worker has trouble with its queue'));
    worker.on('lockRenewalFailed', (jobs) => {
      const reason = new TaskCanceledError('The task', 'the worker was silent too long and others may have it');
      for (const job of jobs) this.#running.get(job)?.handle.cancel(reason);
    });
    await worker.waitUntilReady();
    return worker;
  }

  async #process(job: Job<FleetJob>, token: string | undefined): Promise<TaskResult> {
    const { task, correlationId, canceled } = job.data;
    const id = job.id ?? '';
    if (canceled !== undefined) return endedBefore('canceled', new TaskCanceledError('The task', canceled));
    let handle: TaskHandle;
    try {
      const priority = priorityOf(job.opts.priority ?? 0);
      handle = contextStore().run({ correlationId }, () => this.#agents.submit(task, { priority }));
    } catch (error) {
      if (error instanceof ClosedError) return this.#giveBack(job, token);
      throw await this.#dead(job, endedBefore('rejected', error));
    }
    const running = new WorkerTask(handle, job, this.#logger);
    this.#running.set(id, running);
    const telling = running.tell();
    const result = await handle.result;
    this.#running.delete(id);
    await telling;
    const { state, code, retryable = false } = result.metadata;
    if (code === 'CLOSED' || code === 'QUEUE_FULL') return this.#giveBack(job, token);
    if (result.success || state === 'canceled') return result;
    if (retryable && state === 'failed') {
      await job.updateData({ ...job.data, outcome: result });
      throw new Error(result.error);
    }
    throw await this.#dead(job, result);
  }

  /** Its agents are closed or have no room: another worker, or this one later, is to do it. */
  async #giveBack(job: Job<FleetJob>, token: string | undefined): Promise<never> {
    const { WaitingError, DelayedError } = await loadBullMQ('AgentWorker');
    if (this.#closing) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    await job.moveToDelayed(Date.now() + 250 + Math.random() * 750, token);
    throw new DelayedError();
  }

  /** What BullMQ sets aside among the failed jobs, with the whole result beside its text. */
  async #dead(job: Job<FleetJob>, result: TaskResult): Promise<Error> {
    const { UnrecoverableError } = await loadBullMQ('AgentWorker');
    await job.updateData({ ...job.data, outcome: result });
    return new UnrecoverableError(result.error);
  }

  #obey(command: FleetCommand | undefined): void {
    if (command) this.#running.get(command.job)?.obey(command);
  }
}

/** How a task ended that no agent has seen. */
function endedBefore(state: 'canceled' | 'rejected', error: unknown): TaskResult {
  return failedResult(state, error, { attempts: 0, processingTime: 0 });
}
