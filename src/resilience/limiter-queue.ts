import {
  type Awaitable,
  BoundedQueue,
  CallScope,
  type Clock,
  openScope,
  QueueFullError,
  RateLimitError,
  systemClock,
} from '../core/index.js';
import type { AcquireOptions, LimiterStats, LimiterWaitOptions } from './limiter.js';

/**
 * Takes tokens now, all or none.
 *
 * @returns 0 when taken, else the milliseconds until it is worth asking again
 */
export type TakeTokens = (cost: number) => Awaitable<number>;

/** Settings of a {@link LimiterQueue}. */
export interface LimiterQueueOptions extends LimiterWaitOptions {
  readonly clock?: Clock;
  /** Gets tokens that were taken for a caller who left in the meantime, if nobody else in line can use them. */
  readonly giveBack?: (cost: number) => void;
}

interface Waiter {
  readonly cost: number;
  readonly grant: () => void;
  readonly refuse: (error: unknown) => void;
  granted: boolean;
}

/** The waiting line in front of a source of tokens: first come first served, bounded, abortable. */
export class LimiterQueue {
  readonly #name: string;
  readonly #take: TakeTokens;
  readonly #maxQueue: number;
  readonly #maxWaitMs: number;
  readonly #clock: Clock;
  readonly #giveBack: (cost: number) => void;
  readonly #waiters: BoundedQueue<Waiter>;
  #serving = false;
  #wake: () => void = () => undefined;
  /** What the source last said the first in line has to wait. */
  #headWaitMs = 0;
  #granted = 0;
  #refused = 0;

  constructor(name: string, take: TakeTokens, options: LimiterQueueOptions) {
    this.#name = name;
    this.#take = take;
    this.#maxQueue = options.maxQueue ?? 1_000;
    this.#maxWaitMs = options.maxWaitMs ?? 30_000;
    this.#clock = options.clock ?? systemClock;
    this.#giveBack = options.giveBack ?? (() => undefined);
    // Also without a line there is one whose question is being answered.
    this.#waiters = new BoundedQueue({ name: `queue of ${name}`, maxItems: Math.max(1, this.#maxQueue) });
  }

  stats(): LimiterStats {
    return { waiting: this.#waiters.size, granted: this.#granted, refused: this.#refused };
  }

  async acquire(options: AcquireOptions = {}): Promise<void> {
    if (options instanceof CallScope) options.throwIfCancelled();
    else options.signal?.throwIfAborted();
    const cost = options.cost ?? 1;
    // With nobody waiting, a source that answers at once spares the caller a timer and a place in line.
    const answer = this.#serving ? undefined : this.#take(cost);
    if (answer !== 0) await this.#wait(cost, options, answer);
    this.#granted += 1;
  }

  /** Asks the source again at once: it may have tokens earlier than it said. */
  recheck(): void {
    this.#wake();
  }

  async #wait(cost: number, options: AcquireOptions, answer: Awaitable<number> | undefined): Promise<void> {
    const bounds = options instanceof CallScope ? { parents: [options] } : options;
    using scope = openScope(this.#name, { ...bounds, clock: this.#clock });
    let waiter: Waiter | undefined;
    let leave = (): boolean => false;
    let stopTimer = (): void => undefined;
    try {
      await scope.run(
        () =>
          new Promise<void>((grant, refuse) => {
            waiter = { cost, grant, refuse, granted: false };
            leave = this.#waiters.push(waiter);
            stopTimer = this.#clock.schedule(() => refuse(this.#refusal(this.#headWaitMs)), this.#maxWaitMs);
            if (!this.#serving) void this.#serve(answer);
          }),
      );
    } catch (error) {
      // Granted in the same turn as the caller left.
      if (waiter?.granted) this.#giveBack(cost);
      throw error;
    } finally {
      stopTimer();
      // The pause was for the first in line; the next may be served sooner.
      const wasFirst = this.#waiters.peek() === waiter;
      leave();
      if (wasFirst) this.#wake();
    }
  }

  /** Serves the waiters in order until none is left. */
  async #serve(firstAnswer: Awaitable<number> | undefined): Promise<void> {
    this.#serving = true;
    let answer = firstAnswer;
    for (let waiter = this.#waiters.peek(); waiter; waiter = this.#waiters.peek()) {
      answer ??= this.#ask(waiter);
      const waitMs = typeof answer === 'number' ? answer : await this.#settled(answer, waiter);
      answer = undefined;
      if (waitMs === 0) this.#grant(waiter.cost);
      else if (waitMs > this.#maxWaitMs) this.#refuseHead(waiter, this.#refusal(waitMs));
      else if (waitMs > 0 && this.#maxQueue === 0)
        this.#refuseHead(waiter, new QueueFullError(`queue of ${this.#name}`, '0 items'));
      else if (waitMs > 0) await this.#pause(waitMs);
    }
    this.#serving = false;
  }

  /** If the one who was asked for has left, the tokens go to the next, unless they would not be enough. */
  #grant(cost: number): void {
    const head = this.#waiters.peek();
    const fits = head !== undefined && head.cost <= cost;
    if (fits) {
      this.#waiters.shift();
      head.granted = true;
      head.grant();
    }
    const unused = fits ? cost - head.cost : cost;
    if (unused > 0) this.#giveBack(unused);
  }

  #ask(waiter: Waiter): Awaitable<number> {
    try {
      return this.#take(waiter.cost);
    } catch (error) {
      this.#refuseHead(waiter, error);
      return Number.NaN;
    }
  }

  async #settled(answer: PromiseLike<number>, waiter: Waiter): Promise<number> {
    try {
      return await answer;
    } catch (error) {
      this.#refuseHead(waiter, error);
      return Number.NaN;
    }
  }

  #refuseHead(waiter: Waiter, error: unknown): void {
    if (this.#waiters.peek() === waiter) this.#waiters.shift();
    waiter.refuse(error);
  }

  /** Sleeps until it is worth asking again, or until the first in line has left. */
  async #pause(ms: number): Promise<void> {
    this.#headWaitMs = ms;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.schedule(resolve, ms);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #refusal(waitMs: number): RateLimitError {
    this.#refused += 1;
    const retryAfterMs = Math.max(1, Math.ceil(waitMs));
    return new RateLimitError(
      `${this.#name}: the limit is reached and no turn came within maxWaitMs (${this.#maxWaitMs}); the next one is at least ${retryAfterMs} ms away`,
      { retryAfterMs },
    );
  }
}
