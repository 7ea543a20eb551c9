import { performance } from 'node:perf_hooks';
import { type CallOptions, type ClosedError, ConnectionError, type SaflaError } from '../../../core/index.js';
import { isPassing, redisFailure } from '../../../drivers/redis/index.js';

import { SlidingArray } from '../../sliding-array.js';
import type { QueueBudget } from './queue-budget.js';

/** What a {@link BatchSender} is made of. */
export interface BatchSenderOptions<Item, Result> {
  /** What is sent, as it reads in errors: `publish to 'order.paid'`. */
  readonly name: string;
  /**
   * Sends items in one go and gives a result for each. It may be called again with the same items and
   * token when the answer was lost.
   */
  readonly send: (items: readonly Item[], token: string) => Promise<readonly Result[]>;
  readonly maxBatchItems: number;
  readonly maxBatchBytes?: number;
  /** Bounds what waits and what is away; it may be shared. */
  readonly budget?: QueueBudget;
  /** How long an item may wait for its result; `Infinity` until `close`. */
  readonly timeoutMs: number;
  /** What says most about a failure, or about why there is no answer. */
  readonly reasonOf?: (failure: unknown) => unknown;
  /** Begins every token. Nobody else may use it. */
  readonly origin?: string;
}

interface Job<Item, Result> {
  /** One that was added alone stands for itself: most jobs are that. */
  readonly items: readonly Item[] | undefined;
  readonly item: Item | undefined;
  readonly count: number;
  readonly bytes: number;
  /** By a clock that never jumps. */
  readonly deadline: number;
  /** Its signal, which costs more than all the rest, is read only before something is tried again. */
  readonly options: CallOptions;
  /** Takes a result for an item, and a list of them for items. */
  readonly resolve: (results: Result | readonly Result[]) => void;
  readonly reject: (error: unknown) => void;
  done: boolean;
}

const firstPauseMs = 25;
const longestPauseMs = 200;

/**
 * Sends items in their order, one batch at a time: what is added while a batch is away goes out as the
 * next one. A batch whose answer was lost is sent again until nobody waits for it.
 */
export class BatchSender<Item, Result> {
  readonly #options: BatchSenderOptions<Item, Result>;
  readonly #jobs: SlidingArray<Job<Item, Result>> = new SlidingArray();
  #away: readonly Job<Item, Result>[] = [];
  #items = 0;
  #batches = 0;
  #running = false;
  #closed: ClosedError | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #lastFailure: unknown;
  #wake: (() => void) | undefined;
  #idle: (() => void)[] = [];

  constructor(options: BatchSenderOptions<Item, Result>) {
    this.#options = options;
  }

  /** Items that wait or are away. */
  get pending(): number {
    return this.#items;
  }

  /**
   * Resolves with one result for each item. Items of one call go out together.
   *
   * @throws QueueFullError ConnectionError ClosedError
   */
  add(items: readonly Item[], bytes: number, options: CallOptions = {}): Promise<readonly Result[]> {
    return this.#enqueue(items, undefined, items.length, bytes, options);
  }

  /** {@link BatchSender.add} of one item, with its result. */
  addOne(item: Item, bytes: number, options: CallOptions = {}): Promise<Result> {
    return this.#enqueue(undefined, item, 1, bytes, options);
  }

  /** Resolves once nothing waits and nothing is away. */
  settled(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Rejects what waits and what is away. */
  close(error: ClosedError): void {
    if (this.#closed) return;
    this.#closed = error;
    clearTimeout(this.#expiry);
    for (const job of [...this.#away, ...this.#waiting()]) this.#fail(job, error);
    this.#wake?.();
  }

  #enqueue<R extends Result | readonly Result[]>(
    items: readonly Item[] | undefined,
    item: Item | undefined,
    count: number,
    bytes: number,
    options: CallOptions,
  ): Promise<R> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise<R>((resolve, reject) => {
      this.#options.budget?.take(count, bytes);
      const deadline = performance.now() + this.#options.timeoutMs;
      const settle = resolve as Job<Item, Result>['resolve'];
      this.#jobs.push({ items, item, count, bytes, deadline, options, resolve: settle, reject, done: false });
      this.#items += count;
      this.#armExpiry();
      if (this.#running) return;
      this.#running = true;
      queueMicrotask(() => void this.#run());
    });
  }

  async #run(): Promise<void> {
    let settle: (() => void) | undefined;
    while (!this.#closed) {
      const batch = this.#nextBatch();
      if (batch.length === 0 && !settle) break;
      this.#away = batch;
      const delivering = batch.length > 0 ? this.#deliver(batch) : undefined;
      // Now that Redis has work: those who got a result will have more to send.
      settle?.();
      settle = await delivering;
    }
    this.#away = [];
    this.#running = false;
    // The timer is left for the next one to use: it keeps no process alive then.
    this.#expiry?.unref();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #nextBatch(): Job<Item, Result>[] {
    const { maxBatchItems, maxBatchBytes = Number.POSITIVE_INFINITY } = this.#options;
    const batch: Job<Item, Result>[] = [];
    let items = 0;
    let bytes = 0;
    for (;;) {
      const job = this.#jobs.at(this.#jobs.first);
      if (!job) return batch;
      items += job.count;
      bytes += job.bytes;
      if (batch.length > 0 && (items > maxBatchItems || bytes > maxBatchBytes)) return batch;
      this.#jobs.shift();
      if (!job.done) batch.push(job);
    }
  }

  /** Gives what tells those who wait, once that can be told. */
  async #deliver(batch: readonly Job<Item, Result>[]): Promise<() => void> {
    this.#batches += 1;
    const token = `${this.#options.origin ?? ''}${this.#batches}`;
    const items: Item[] = [];
    for (const job of batch) {
      if (job.items) items.push(...job.items);
      else items.push(job.item as Item);
    }
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        const results = await this.#options.send(items, token);
        return () => this.#succeed(batch, results);
      } catch (failure) {
        this.#lastFailure = failure;
        if (!isPassing(failure)) {
          const error = this.#failureOf(failure);
          return () => this.#failAll(batch, error);
        }
        await this.#pause(pauseMs * (0.5 + Math.random() / 2));
        if (batch.every((job) => job.done || job.options.signal?.aborted)) {
          const error = this.#failureOf(failure);
          return () => this.#failAll(batch, error);
        }
      }
    }
  }

  #failureOf(failure: unknown): SaflaError | undefined {
    const { name, reasonOf } = this.#options;
    const reason = reasonOf ? reasonOf(failure) : failure;
    return reason === undefined ? undefined : redisFailure(name, reason);
  }

  #succeed(batch: readonly Job<Item, Result>[], results: readonly Result[]): void {
    this.#lastFailure = undefined;
    let at = 0;
    for (const job of batch) {
      if (!job.done) {
        this.#finish(job);
        job.resolve(job.items ? results.slice(at, at + job.count) : (results[at] as Result));
      }
      at += job.count;
    }
  }

  *#waiting(): Generator<Job<Item, Result>> {
    for (let position = this.#jobs.first; position < this.#jobs.end; position++) {
      const job = this.#jobs.at(position);
      if (job) yield job;
    }
  }

  #failAll(batch: readonly Job<Item, Result>[], error: unknown): void {
    for (const job of batch) this.#fail(job, error);
  }

  #fail(job: Job<Item, Result>, error: unknown): void {
    if (job.done) return;
    this.#finish(job);
    job.reject(error);
  }

  #finish(job: Job<Item, Result>): void {
    job.done = true;
    this.#items -= job.count;
    this.#options.budget?.give(job.count, job.bytes);
  }

  #pause(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      // While somebody waits for a result, this may keep the process alive.
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One timer for all: jobs expire in the order they came. */
  #armExpiry(): void {
    const { timeoutMs } = this.#options;
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    if (this.#expiry) {
      if (!this.#running) this.#expiry.ref();
      return;
    }
    this.#expiry = setTimeout(() => {
      this.#expiry = undefined;
      this.#expire();
    }, timeoutMs);
  }

  #expire(): void {
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    const expired = (job: Job<Item, Result>): boolean => {
      if (job.done) return true;
      if (job.deadline > now) {
        next = Math.min(next, job.deadline);
        return false;
      }
      const { name, timeoutMs } = this.#options;
      const reason = this.#failureOf(this.#lastFailure);
      const why = reason ? ` (${reason.message})` : '';
      const message = `${name}: Redis gave no answer within ${timeoutMs} ms${why}; it may still take effect`;
      this.#fail(job, new ConnectionError(message, { cause: reason }));
      return true;
    };
    for (const job of this.#away) expired(job);
    for (const job of this.#waiting()) {
      if (!expired(job)) break;
      this.#jobs.shift();
    }
    if (next === Number.POSITIVE_INFINITY || this.#closed) return;
    this.#expiry = setTimeout(
      () => {
        this.#expiry = undefined;
        this.#expire();
      },
      Math.max(1, next - now),
    );
  }
}
