import { is, type OptionChecks } from '../../core/internal.js';
import { type BackoffOptions, backoffChecks, fullJitter } from '../../resilience/backoff.js';

/** How a host starts a server again that ended by itself. */
export interface RestartOptions extends BackoffOptions {
  /** The first pause is drawn from 0 to this, in milliseconds; it doubles with each end. @default 100 */
  readonly baseDelayMs?: number;
  /** No pause is drawn above this, in milliseconds. @default 10000 */
  readonly maxDelayMs?: number;
  /** A server that ends once more than this often within `withinMs` stays down until `connect`. @default 5 */
  readonly maxRestarts?: number;
  /** In milliseconds. A server that ran longer than this begins anew. @default 60000 */
  readonly withinMs?: number;
}

export const restartChecks: OptionChecks<RestartOptions> = {
  ...backoffChecks,
  maxRestarts: is.countOrZero,
  withinMs: is.milliseconds,
};

/** Says when to start a server again, and when it is no use: a crash loop. */
export class RestartPlan {
  readonly #options: RestartOptions;
  readonly #now: () => number;
  #ends: number[] = [];

  constructor(options: RestartOptions, now: () => number = Date.now) {
    this.#options = options;
    this.#now = now;
  }

  /** How often the server ended lately. */
  get ends(): number {
    return this.#ends.length;
  }

  /** Called when the server ended: milliseconds to wait, undefined when it is to stay down. */
  next(): number | undefined {
    const { maxRestarts = 5, withinMs = 60_000, baseDelayMs = 100 } = this.#options;
    const now = this.#now();
    this.#ends = [...this.#ends.filter((end) => now - end < withinMs), now];
    if (this.#ends.length > maxRestarts) return undefined;
    return fullJitter(this.#ends.length, 10_000, { ...this.#options, baseDelayMs });
  }

  /** Begins anew, because somebody asked for a start. */
  reset(): void {
    this.#ends = [];
  }
}
