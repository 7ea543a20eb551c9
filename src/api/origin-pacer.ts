import type { CallScope, Clock } from '../core/index.js';
import { is, type OptionChecks } from '../core/internal.js';
import { type Quota, readQuota } from '../drivers/http/index.js';
import { type Gate, LimiterQueue, type LimiterWaitOptions } from '../resilience/index.js';

/** How a quota that the server tells of is kept. Waiting is bounded as with every limiter. */
export interface PacingOptions extends LimiterWaitOptions {
  /**
   * The longest time a server is believed that its quota is used up, in milliseconds: after that a request
   * is sent again, whatever it said. @default 60000
   */
  readonly maxPauseMs?: number;
}

/** Answers on the way are waited for by being told of them; this is for the case that none comes. */
const recheckMs = 1_000;

export const pacingChecks: OptionChecks<PacingOptions> = {
  maxQueue: is.countOrZero,
  maxWaitMs: is.countOrZero,
  maxPauseMs: is.milliseconds,
};

/**
 * Slows requests down before the server has to refuse them: once an answer says that nothing is left of
 * the quota of an origin, the next requests there wait until it comes back. What is on the way counts as
 * used, so that many requests at once do not share the last one that is left.
 */
export class OriginPacer implements Gate {
  readonly #queue: LimiterQueue;
  readonly #clock: Clock;
  readonly #maxPauseMs: number;
  #onTheWay = 0;
  /** What the last answer said is left. */
  #told = 0;
  /** Of that, without what was sent since; infinite while no quota is known. */
  #left = Number.POSITIVE_INFINITY;
  #resetAt = 0;
  /** The quota should be back: one request is on its way to see, the others wait for its answer. */
  #scouting = false;

  constructor(origin: string, options: PacingOptions, clock: Clock) {
    this.#clock = clock;
    this.#maxPauseMs = options.maxPauseMs ?? 60_000;
    const giveBack = (): void => this.leave();
    this.#queue = new LimiterQueue(`quota of ${origin}`, () => this.#take(), { ...options, clock, giveBack });
  }

  /** True when nothing is on the way and no quota is running: forgetting it loses nothing. */
  get idle(): boolean {
    return this.#onTheWay === 0 && this.#clock.now() >= this.#resetAt;
  }

  /**
   * @throws RateLimitError when the quota comes back later than a request may wait
   * @throws QueueFullError when too many wait already
   */
  enter(scope: CallScope): Promise<void> | undefined {
    if (this.#left < Number.POSITIVE_INFINITY) return this.#queue.acquire(scope);
    this.#onTheWay += 1;
    return undefined;
  }

  leave(): void {
    this.#onTheWay -= 1;
    // An answer that tells nothing of a quota: there is none any more.
    if (this.#scouting) this.#left = Number.POSITIVE_INFINITY;
    this.#scouting = false;
    this.#queue.recheck();
  }

  /** Learns from the headers of an answer, whose request has not left yet; what it gives has to be waited for. */
  learn(headers: Readonly<Record<string, string>>): Promise<void> | undefined {
    const quota = readQuota(headers, this.#clock.now());
    if (quota instanceof Promise) return quota.then((read) => this.#learn(read));
    this.#learn(quota);
    return undefined;
  }

  #learn(quota: Quota | undefined): void {
    if (!quota) return;
    this.#scouting = false;
    this.#told = quota.remaining;
    this.#resetAt = this.#clock.now() + Math.min(quota.resetMs, this.#maxPauseMs);
    // The others that are on the way may not have been counted yet.
    this.#left = quota.remaining - Math.max(0, this.#onTheWay - 1);
    this.#queue.recheck();
  }

  /** 0 and one more on the way, or the milliseconds until it is worth asking again. */
  #take(): number {
    if (this.#scouting) return recheckMs;
    if (this.#left <= 0) {
      const waitMs = Math.ceil(this.#resetAt - this.#clock.now());
      // What is on the way will tell whether it was counted.
      if (waitMs > 0) return this.#told > 0 && this.#onTheWay > 0 ? Math.min(waitMs, recheckMs) : waitMs;
      this.#scouting = true;
    }
    this.#left -= 1;
    this.#onTheWay += 1;
    return 0;
  }
}
