/** Bounds the share of retries, so that clients do not multiply an outage. */
export interface RetryBudgetOptions {
  /** Retries allowed per first attempt. @default 0.1 */
  readonly ratio?: number;
  /** Retries that may be spent before any call has paid in, and the most that can be saved up. @default 10 */
  readonly reserve?: number;
}

/**
 * A token bucket paid by calls and spent by retries: each first attempt pays `ratio`, each retry costs
 * one. Over many calls in an outage at most `ratio` of them are repeated. The idea is that of gRPC's
 * retry throttling (gRFC A6) and Finagle's RetryBudget.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #reserve: number;
  #balance: number;

  constructor(options: RetryBudgetOptions = {}) {
    this.#ratio = options.ratio ?? 0.1;
    this.#reserve = options.reserve ?? 10;
    this.#balance = this.#reserve;
  }

  /** A first attempt was made. */
  deposit(): void {
    this.#balance = Math.min(this.#reserve, this.#balance + this.#ratio);
  }

  /** True, and one retry is spent, when the budget allows it. */
  withdraw(): boolean {
    // A tenth added ten times is just below one in binary.
    if (this.#balance < 1 - 1e-9) return false;
    this.#balance -= 1;
    return true;
  }
}
