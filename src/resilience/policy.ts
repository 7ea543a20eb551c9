import {
  type Awaitable,
  type CallOptions,
  CallScope,
  type CancelListener,
  type Clock,
  openScope,
  type ScopeOptions,
  systemClock,
  TimeoutError,
} from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import { Bulkhead, type BulkheadOptions, bulkheadChecks } from './bulkhead.js';
import { type BreakerOptions, breakerChecks, CircuitBreakers, type CircuitState } from './circuit-breakers.js';
import type { Limiter, LimiterStats } from './limiter.js';
import { LocalLimiter, type LocalLimiterOptions, localLimiterChecks } from './local-limiter.js';
import { Retry, type RetryOptions, retryChecks } from './retry.js';

/**
 * How calls to a remote behave. Each part can be tuned, and switched off with `false`. From outside in:
 * total timeout > retry (with a budget) > breaker > limiter > bulkhead > attempt timeout > the call.
 */
export interface PolicyOptions {
  /** For the whole call with its waits and retries, in milliseconds. @default 60000 */
  readonly timeoutMs?: number | false;
  /** For one attempt, in milliseconds; waiting for a turn does not count. @default 30000 */
  readonly attemptTimeoutMs?: number | false;
  /** @default 2 retries, at most 10 % of calls */
  readonly retry?: RetryOptions | false;
  /** @default opens at 50 % failures of at least 20 calls in 30 seconds */
  readonly breaker?: BreakerOptions | false;
  /** A limiter, or the rate of one to make. @default none */
  readonly limiter?: Limiter | LocalLimiterOptions | false;
  /** @default none */
  readonly bulkhead?: BulkheadOptions | false;
  /** Drives timeouts, pauses and the breaker's window; how long a circuit stays open follows the machine. @default the machine's clock */
  readonly clock?: Clock;
}

/** What lets an attempt in, and learns when it is over: the target's own limit on how many may come. */
export interface Gate {
  /** @returns undefined when the attempt may pass at once, else a promise that rejects when it may not */
  enter(scope: CallScope): Promise<void> | undefined;
  /** Called once for each attempt that was let in. */
  leave(): void;
}

/** Settings of one {@link Policy.execute}. */
export interface ExecuteOptions extends CallOptions {
  /** What is called; has its own breaker. @default 'the call' */
  readonly key?: string;
  /** The call as it reads in a TimeoutError. @default `key` */
  readonly subject?: string;
  /** False when repeating the work could do it twice: then it is attempted once. @default true */
  readonly idempotent?: boolean;
  /**
   * A scope that is open already and stands for this call: nothing new is opened, and `signal` and
   * `timeoutMs` have no effect. Whoever opened it disposes of it. @default one that is opened for this call
   */
  readonly scope?: CallScope;
  /** Passed by every attempt before the limiter. @default none */
  readonly gate?: Gate;
  /** Told before each pause that precedes a retry. */
  readonly onRetry?: (event: RetryEvent) => void;
}

/** One retry about to happen. */
export interface RetryEvent {
  readonly error: unknown;
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
}

/** What one attempt is given. */
export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** Ends with the attempt's time, the call's time, or the caller's signal. Made when first read. */
  readonly signal: AbortSignal;
  /** True once `signal` has aborted, or would have. */
  readonly cancelled: boolean;
  /** Why. */
  readonly reason: unknown;
  /** The cheap way to follow `signal`: it need not be made. The returned function takes the listener back. */
  onCancel(listener: CancelListener): () => void;
}

/** Counters of a policy. */
export interface PolicyStats {
  readonly calls: number;
  readonly attempts: number;
  readonly failures: number;
  readonly running: number;
  readonly circuits: Readonly<Record<string, CircuitState>>;
  readonly limiter: LimiterStats | undefined;
}

const off = is.oneOf(false);

/**
 * A policy has state (breakers, budget, limiter, counters): whoever shares one shares that.
 *
 * @throws ConfigurationError
 * @example
 * const careful = policy({ attemptTimeoutMs: 2_000, retry: { maxRetries: 3 } });
 * const order = await careful.execute(({ signal }) => fetchOrder(id, signal), { key: 'orders' });
 */
export function policy(options: PolicyOptions = {}): Policy {
  return new Policy(options);
}

/** Made by {@link policy}. */
export class Policy {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #attemptTimeoutMs: number;
  readonly #retry: Retry | undefined;
  readonly #breakers: CircuitBreakers | undefined;
  readonly #limiter: Limiter | undefined;
  readonly #bulkhead: Bulkhead | undefined;
  #calls = 0;
  #attempts = 0;
  #failures = 0;
  #running = 0;

  constructor(options: PolicyOptions = {}) {
    checkOptions('policy', options, {
      timeoutMs: is.either('milliseconds above 0, or false', off, is.milliseconds),
      attemptTimeoutMs: is.either('milliseconds above 0, or false', off, is.milliseconds),
      retry: orOff(is.options(retryChecks)),
      breaker: orOff(is.options(breakerChecks)),
      limiter: orOff((value, field) => (isLimiter(value) ? undefined : is.options(localLimiterChecks)(value, field))),
      bulkhead: orOff(is.options(bulkheadChecks)),
      clock: is.object,
    });
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = limitOf(options.timeoutMs, 60_000);
    this.#attemptTimeoutMs = limitOf(options.attemptTimeoutMs, 30_000);
    this.#retry = options.retry === false ? undefined : new Retry(options.retry);
    this.#breakers = options.breaker === false ? undefined : new CircuitBreakers(options.breaker ?? {}, this.#clock);
    this.#bulkhead = options.bulkhead ? new Bulkhead('the bulkhead', options.bulkhead) : undefined;
    if (options.limiter)
      this.#limiter = isLimiter(options.limiter) ? options.limiter : new LocalLimiter(options.limiter);
  }

  /**
   * Runs `work` under this policy. It is called once per attempt.
   *
   * @throws TimeoutError CircuitOpenError RateLimitError QueueFullError, the caller's `signal.reason`,
   * or what the last attempt threw
   */
  async execute<T>(work: (attempt: Attempt) => Awaitable<T>, options: ExecuteOptions = {}): Promise<T> {
    const key = options.key ?? 'the call';
    const subject = options.subject ?? key;
    const scope = options.scope ?? openScope(subject, this.scopeOptions(options));
    this.#calls += 1;
    this.#running += 1;
    try {
      return await this.#attempt(work, options, key, subject, scope);
    } catch (error) {
      this.#failures += 1;
      throw error;
    } finally {
      this.#running -= 1;
      if (!options.scope) scope[Symbol.dispose]();
    }
  }

  /** What a scope for a call under this policy is opened with. */
  scopeOptions({
    signal,
    timeoutMs = this.#timeoutMs,
  }: { readonly [K in keyof CallOptions]?: CallOptions[K] | undefined } = {}): ScopeOptions {
    return { ...(signal && { signal }), timeoutMs, clock: this.#clock };
  }

  /** The time limit of a whole call in milliseconds, unless the call has its own; `Infinity` when off. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** The breaker's state for a key, `closed` when there is none. */
  circuit(key: string): CircuitState {
    return this.#breakers?.state(key) ?? 'closed';
  }

  stats(): PolicyStats {
    return {
      calls: this.#calls,
      attempts: this.#attempts,
      failures: this.#failures,
      running: this.#running,
      circuits: this.#breakers?.states() ?? {},
      limiter: this.#limiter?.stats(),
    };
  }

  async #attempt<T>(
    work: (attempt: Attempt) => Awaitable<T>,
    options: ExecuteOptions,
    key: string,
    subject: string,
    scope: CallScope,
  ): Promise<T> {
    const retry = options.idempotent === false ? undefined : this.#retry;
    retry?.begin();
    for (let number = 1; ; number++) {
      scope.throwIfCancelled();
      const progress = { sent: false };
      try {
        const once = (): Promise<T> => this.#once(work, options.gate, subject, number, scope, progress);
        // Without a call that went out, or with a caller who left, nothing was learnt about the target.
        const inconclusive = (): boolean => !progress.sent || gaveUp(scope);
        return await (this.#breakers ? this.#breakers.run(key, once, inconclusive) : once());
      } catch (error) {
        if (scope.cancelled) throw scope.reason;
        const delayMs = retry?.delayAfter(error, number, scope.remainingMs);
        if (delayMs === undefined) throw error;
        options.onRetry?.({ error, attempt: number, delayMs });
        await scope.sleep(delayMs);
      }
    }
  }

  async #once<T>(
    work: (attempt: Attempt) => Awaitable<T>,
    gate: Gate | undefined,
    subject: string,
    number: number,
    scope: CallScope,
    progress: { sent: boolean },
  ): Promise<T> {
    const opening = gate?.enter(scope);
    if (opening) await opening;
    try {
      const limiter = this.#limiter;
      // In a race with the scope, for limiters of a host that do not look at the signal.
      if (limiter) await scope.run(() => limiter.acquire(scope));
      if (this.#bulkhead) await this.#bulkhead.enter(scope);
      progress.sent = true;
      this.#attempts += 1;
      const attempt = new AttemptScope(number, subject, this.#attemptTimeoutMs, scope, this.#clock);
      try {
        return await attempt.run(() => work(attempt));
      } finally {
        attempt[Symbol.dispose]();
        this.#bulkhead?.leave();
      }
    } finally {
      gate?.leave();
    }
  }
}

class AttemptScope extends CallScope implements Attempt {
  readonly number: number;

  constructor(number: number, subject: string, timeoutMs: number, parent: CallScope, clock: Clock) {
    super(`attempt ${number} of ${subject}`, { timeoutMs, parents: [parent], clock });
    this.number = number;
  }
}

/** The caller's own cancellation says nothing about the target; running out of time does. */
function gaveUp(scope: CallScope): boolean {
  return scope.cancelled && !(scope.reason instanceof TimeoutError);
}

function limitOf(value: number | false | undefined, fallback: number): number {
  return value === false ? Number.POSITIVE_INFINITY : (value ?? fallback);
}

function isLimiter(value: unknown): value is Limiter {
  return typeof (value as { acquire?: unknown } | undefined)?.acquire === 'function';
}

function orOff(check: (value: unknown, field: string) => void): (value: unknown, field: string) => void {
  return (value, field) => (value === false ? undefined : check(value, field));
}
