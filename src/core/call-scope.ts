import { type Clock, systemClock } from './clock.js';
import { activeScope } from './context-store.js';
import { ConfigurationError } from './errors/configuration-error.js';
import { TimeoutError } from './errors/timeout-error.js';
import { followSignal } from './signal-followers.js';
import type { Awaitable, CallOptions } from './types.js';

/** Told why a scope ended. */
export type CancelListener = (reason: unknown) => void;

/** What {@link CallScope} is made from. */
export interface ScopeOptions extends CallOptions {
  readonly clock?: Clock;
  /** Scopes whose end ends this one too. */
  readonly parents?: readonly (CallScope | undefined)[];
}

/**
 * The life of one call: it ends by the caller's signal, by its own time, or with a parent scope,
 * whichever is first, and tells everybody who asked. All it attached is taken back by `dispose`, so
 * nothing is left on a long-lived signal. The `AbortSignal` is made only when somebody reads it. A scope
 * can stand as the options of a call made inside it.
 */
export class CallScope implements CallOptions, Disposable {
  readonly #subject: string;
  readonly #clock: Clock;
  // Made on first use: most calls have no parent and one listener at the most.
  #detach: (() => void)[] | undefined;
  #listeners: Set<CancelListener> | undefined;
  #controller: AbortController | undefined;
  #cancelled = false;
  #disposed = false;
  #reason: unknown;

  /** When this call's time is over, in milliseconds since the epoch; `Infinity` without a limit. */
  readonly deadline: number;

  constructor(subject: string, options: ScopeOptions = {}) {
    this.#subject = subject;
    this.#clock = options.clock ?? systemClock;
    let inherited = Number.POSITIVE_INFINITY;
    for (const parent of options.parents ?? []) {
      // A context that is over neither cancels nor limits what was started in it and left running.
      if (!parent || (parent.#disposed && !parent.#cancelled)) continue;
      inherited = Math.min(inherited, parent.deadline);
      this.#onDispose(parent.onCancel((reason) => this.cancel(reason)));
    }
    this.deadline = Math.min(inherited, this.#startTimer(options.timeoutMs, inherited));
    this.#follow(options.signal);
  }

  /** True once the call was cancelled, timed out, or its parent ended. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Why it ended: the caller's own `signal.reason`, or a {@link TimeoutError}. */
  get reason(): unknown {
    return this.#reason;
  }

  /** A signal for drivers. Created on first read. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Milliseconds left, never negative; `Infinity` without a limit, or when it was disposed in time. */
  get remainingMs(): number {
    if (this.#disposed && !this.#cancelled) return Number.POSITIVE_INFINITY;
    return this.deadline === Number.POSITIVE_INFINITY ? this.deadline : Math.max(0, this.deadline - this.#clock.now());
  }

  throwIfCancelled(): void {
    if (this.#cancelled) throw this.#reason;
  }

  /** Calls `listener` once when the scope ends, at once if it has. The returned function takes it back. */
  onCancel(listener: CancelListener): () => void {
    if (this.#cancelled) {
      listener(this.#reason);
      return noop;
    }
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  cancel(reason: unknown): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#reason = reason;
    for (const listener of [...(this.#listeners ?? [])]) listener(reason);
    this.#listeners = undefined;
    this.#controller?.abort(reason);
  }

  /**
   * Runs `work` and settles with it, or rejects with the scope's reason as soon as the scope ends,
   * whether or not `work` listens.
   */
  run<T>(work: () => Awaitable<T>): Promise<T> {
    if (this.#cancelled) return Promise.reject(this.#reason);
    return new Promise<T>((resolve, reject) => {
      const off = this.onCancel(reject);
      invoke(work).then(
        (value) => {
          off();
          resolve(value);
        },
        (error) => {
          off();
          reject(error);
        },
      );
    });
  }

  /** Waits `ms`; rejects with the scope's reason when it ends first. */
  sleep(ms: number): Promise<void> {
    let stop = noop;
    return this.run(
      () =>
        new Promise<void>((resolve) => {
          stop = this.#clock.schedule(resolve, ms);
        }),
    ).finally(() => stop());
  }

  /** Takes back every listener and timer. The scope's state stays readable. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const detach of this.#detach ?? []) detach();
    this.#detach = undefined;
    this.#listeners = undefined;
  }

  #onDispose(detach: () => void): void {
    this.#detach ??= [];
    this.#detach.push(detach);
  }

  #startTimer(timeoutMs: number | undefined, inherited: number): number {
    if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    if (typeof timeoutMs !== 'number' || !(timeoutMs > 0)) {
      throw new ConfigurationError(`timeoutMs must be a number of milliseconds above 0, got ${timeoutMs}`, {
        field: 'timeoutMs',
      });
    }
    const deadline = this.#clock.now() + timeoutMs;
    // A parent that ends first brings its own timer and its own reason.
    if (deadline < inherited) {
      this.#onDispose(this.#clock.schedule(() => this.cancel(new TimeoutError(this.#subject, timeoutMs)), timeoutMs));
    }
    return deadline;
  }

  #follow(signal: AbortSignal | undefined): void {
    if (!signal) return;
    if (typeof signal.addEventListener !== 'function') {
      throw new ConfigurationError('signal must be an AbortSignal', { field: 'signal' });
    }
    if (signal.aborted) {
      this.cancel(signal.reason);
      return;
    }
    this.#onDispose(followSignal(signal, (reason) => this.cancel(reason)));
  }
}

/**
 * Opens the scope of one call: the caller's `signal` and `timeoutMs`, inside whatever context is
 * active (see `withContext`). Dispose it when the call settles.
 *
 * @example
 * using scope = openScope('GET /orders', options);
 * return await scope.run(() => fetchOrders(scope.signal));
 */
export function openScope(subject: string, options: ScopeOptions = {}): CallScope {
  const active = activeScope();
  return new CallScope(subject, active ? { ...options, parents: [active, ...(options.parents ?? [])] } : options);
}

function noop(): void {}

async function invoke<T>(work: () => Awaitable<T>): Promise<T> {
  return work();
}
