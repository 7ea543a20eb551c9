import { BoundedQueue, type CallScope, type Removal } from '../core/index.js';
import { is, type OptionChecks } from '../core/internal.js';

/** How many calls may run at once. */
export interface BulkheadOptions {
  /** Calls running at the same time. */
  readonly maxConcurrent: number;
  /** Calls waiting for their turn. @default 1000 */
  readonly maxQueue?: number;
}

export const bulkheadChecks: OptionChecks<BulkheadOptions> = {
  maxConcurrent: is.required(is.count),
  maxQueue: is.countOrZero,
};

/** Limits how many calls run at once; the others wait in a bounded line that can be aborted. */
export class Bulkhead {
  readonly #maxConcurrent: number;
  readonly #waiting: BoundedQueue<() => void>;
  #running = 0;

  constructor(name: string, options: BulkheadOptions) {
    this.#maxConcurrent = options.maxConcurrent;
    this.#waiting = new BoundedQueue({ name: `queue of ${name}`, maxItems: options.maxQueue ?? 1_000 });
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a place, at once when one is free. Pair it with {@link Bulkhead.leave}.
   *
   * @throws QueueFullError when too many wait already; the scope's reason when it ends while waiting
   */
  async enter(scope: CallScope): Promise<void> {
    if (this.#running < this.#maxConcurrent) {
      this.#running += 1;
      return;
    }
    let leaveLine: Removal | undefined;
    const turn = (): Promise<void> =>
      new Promise((resolve) => {
        leaveLine = this.#waiting.push(resolve);
      });
    try {
      await scope.run(turn);
    } catch (error) {
      // When the place was given in the same turn as the cancellation, it goes on to the next.
      if (leaveLine && !leaveLine()) this.leave();
      throw error;
    }
  }

  /** Gives the place to the next in line, or frees it. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}
