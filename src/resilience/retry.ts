import { is, type OptionChecks } from '../core/internal.js';
import { isTransientFailure } from './failure.js';
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.js';

/** When and how a failed attempt is repeated. */
export interface RetryOptions {
  /** Repeats after the first attempt. @default 2 */
  readonly maxRetries?: number;
  /** The first pause is drawn from 0 to this, in milliseconds. @default 200 */
  readonly baseDelayMs?: number;
  /** No pause is drawn above this, in milliseconds. @default 10000 */
  readonly maxDelayMs?: number;
  /**
   * The longest `Retry-After` that is waited for, in milliseconds. When the server asks for more, the
   * call fails at once with the server's answer: coming back earlier than asked would not help. @default 60000
   */
  readonly maxRetryAfterMs?: number;
  /** `false` lifts the bound on the share of retries. @default 10 % */
  readonly budget?: RetryBudgetOptions | false;
  /** Decides which errors are repeated. @default errors with `retryable: true` that are not local refusals, and broken connections */
  readonly when?: (error: unknown) => boolean;
  /** A number from 0 to 1, for tests. @default Math.random */
  readonly random?: () => number;
}

export const retryChecks: OptionChecks<RetryOptions> = {
  maxRetries: is.countOrZero,
  baseDelayMs: is.countOrZero,
  maxDelayMs: is.countOrZero,
  maxRetryAfterMs: is.countOrZero,
  budget: is.either(
    'an object or false',
    is.oneOf(false),
    is.options<RetryBudgetOptions>({ ratio: is.ratio, reserve: is.countOrZero }),
  ),
  when: is.function,
  random: is.function,
};

/**
 * Decides whether and when to try again: exponential backoff with full jitter (M. Brooker, "Exponential
 * Backoff And Jitter", AWS Architecture Blog, 2015), never before the server's `Retry-After`.
 */
export class Retry {
  readonly #maxRetries: number;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #maxRetryAfterMs: number;
  readonly #budget: RetryBudget | undefined;
  readonly #when: (error: unknown) => boolean;
  readonly #random: () => number;

  constructor(options: RetryOptions = {}) {
    this.#maxRetries = options.maxRetries ?? 2;
    this.#baseDelayMs = options.baseDelayMs ?? 200;
    this.#maxDelayMs = options.maxDelayMs ?? 10_000;
    this.#maxRetryAfterMs = options.maxRetryAfterMs ?? 60_000;
    this.#budget = options.budget === false ? undefined : new RetryBudget(options.budget);
    this.#when = options.when ?? isTransientFailure;
    this.#random = options.random ?? Math.random;
  }

  /** Tells the budget that a call began. */
  begin(): void {
    this.#budget?.deposit();
  }

  /**
   * @param attempt how many attempts were made, 1 after the first
   * @param remainingMs the time left for the whole call
   * @returns the pause before the next attempt in milliseconds, or undefined to give up
   */
  delayAfter(error: unknown, attempt: number, remainingMs: number): number | undefined {
    if (attempt > this.#maxRetries || !this.#when(error)) return undefined;
    const retryAfterMs = retryAfterOf(error);
    if (retryAfterMs > this.#maxRetryAfterMs) return undefined;
    const ceiling = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** (attempt - 1));
    const delay = Math.max(retryAfterMs, this.#random() * ceiling);
    if (delay >= remainingMs) return undefined;
    return this.#budget && !this.#budget.withdraw() ? undefined : delay;
  }
}

function retryAfterOf(error: unknown): number {
  const value =
    typeof error === 'object' && error !== null ? (error as { retryAfterMs?: unknown }).retryAfterMs : undefined;
  return typeof value === 'number' && value > 0 ? value : 0;
}
