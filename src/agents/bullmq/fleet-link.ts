import type { Job, Queue, QueueEvents } from 'bullmq';
import { detach, type Logger } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import { RedisConnection } from '../../drivers/redis/index.js';
import type { TaskResult } from '../task.js';
import { commandChannel, type FleetCommand, type FleetJob } from './fleet-job.js';
import type { FleetConnection } from './fleet-options.js';
import { loadBullMQ } from './load-bullmq.js';

/** The jobs of a fleet in Redis. */
export type FleetBullQueue = Queue<FleetJob, TaskResult>;

/** One of them. */
export type FleetBullJob = Job<FleetJob, TaskResult>;

/** The submitter's connections: its jobs, what BullMQ tells of them, and the channel to the workers. Opened on first use. */
export class FleetLink {
  readonly #where: FleetConnection;
  readonly #logger: Logger;
  readonly #listen: (events: QueueEvents) => void;
  readonly #redis: RedisConnection;
  readonly #open: () => Promise<FleetBullQueue> = lazy(() => detach(() => this.#connect()));
  #queue: FleetBullQueue | undefined;
  #events: QueueEvents | undefined;

  /** @param listen hangs its listeners on the events, before the first one comes */
  constructor(where: FleetConnection, logger: Logger, listen: (events: QueueEvents) => void) {
    this.#where = where;
    this.#logger = logger;
    this.#listen = listen;
    this.#redis = new RedisConnection(where.target, 5_000);
  }

  queue(): Promise<FleetBullQueue> {
    return this.#open();
  }

  async job(id: string): Promise<FleetBullJob | undefined> {
    return (await this.#open()).getJob(id);
  }

  /** Tells every worker that listens now. */
  async tell(command: FleetCommand): Promise<void> {
    const { queue, prefix } = this.#where;
    await this.#redis.command('PUBLISH', commandChannel(prefix, queue), JSON.stringify(command));
  }

  async close(): Promise<void> {
    await this.#events?.close();
    await this.#queue?.close();
    this.#redis.disconnect();
  }

  async #connect(): Promise<FleetBullQueue> {
    const bullmq = await loadBullMQ('AgentFleet');
    const { queue: name, prefix, connection } = this.#where;
    const queue: FleetBullQueue = new bullmq.Queue(name, { connection, prefix });
    const onError = (error: unknown): void =>
      this.#logger.error({ queue: name, error }, 'a fleet has trouble with its queue');
    queue.on('error', onError);
    this.#queue = queue;
    await queue.waitUntilReady();
    // From the newest event of now: without this, reading begins whenever the first read arrives.
    const newest = (await this.#redis.command('XREVRANGE', queue.toKey('events'), '+', '-', 'COUNT', 1)) as [string][];
    const lastEventId = newest[0]?.[0] ?? '0-0';
    this.#events = new bullmq.QueueEvents(name, { connection, prefix, lastEventId });
    this.#events.on('error', onError);
    this.#listen(this.#events);
    return queue;
  }
}
