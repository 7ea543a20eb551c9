import { is, type OptionChecks } from '../core/internal.js';
import { type BackoffOptions, backoffChecks, fullJitter } from './backoff.js';
import { isTransientFailure } from './failure.js';
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.js';

/** When and how a failed attempt is repeated. */
export interface RetryOptions extends BackoffOptions {
  /** Repeats after the first attempt. @default 2 */
  readonly maxRetries?: number;
  /**
   * The longest `Retry-After` that is waited for, in milliseconds. When the server asks for more, the
   * call fails at once with the server's answer: coming back earlier than asked would not help. @default 60000
   */
  readonly maxRetryAfterMs?: number;
  /** `false` lifts the bound on the share of retries. @default 10 % */
  readonly budget?: RetryBudgetOptions | false;
  /** Decides which errors are repeated. @default errors with `retryable: true` that are not local refusals, and broken connections */
  readonly when?: (error: unknown) => boolean;
}

export const retryChecks: OptionChecks<RetryOptions> = {
  maxRetries: is.countOrZero,
  ...backoffChecks,
  maxRetryAfterMs: is.countOrZero,
  budget: is.either(
    'an object or false',
    is.oneOf(false),
    is.options<RetryBudgetOptions>({ ratio: is.ratio, reserve: is.countOrZero }),
  ),
  when: is.function,
};

const longestDelayMs = 10_000;

/** Decides whether and when to try again: backoff with full jitter, never before the server's `Retry-After`. */
export class Retry {
  readonly #maxRetries: number;
  readonly #backoff: BackoffOptions;
  readonly #maxRetryAfterMs: number;
  readonly #budget: RetryBudget | undefined;
  readonly #when: (error: unknown) => boolean;

  constructor(options: RetryOptions = {}) {
    this.#maxRetries = options.maxRetries ?? 2;
    this.#backoff = options;
    this.#maxRetryAfterMs = options.maxRetryAfterMs ?? 60_000;
    this.#budget = options.budget === false ? undefined : new RetryBudget(options.budget);
    this.#when = options.when ?? isTransientFailure;
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
    const delay = Math.max(retryAfterMs, fullJitter(attempt, longestDelayMs, this.#backoff));
    if (delay >= remainingMs) return undefined;
    return this.#budget && !this.#budget.withdraw() ? undefined : delay;
  }
}

function retryAfterOf(error: unknown): number {
  const value =
    typeof error === 'object' && error !== null ? (error as { retryAfterMs?: unknown }).retryAfterMs : undefined;
  return typeof value === 'number' && value > 0 ? value : 0;
}
