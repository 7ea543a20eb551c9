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
 * nothing is left on a long-lived signal. It attaches when somebody first waits for its end, and the
 * `AbortSignal` is made when somebody reads it: a call that is over at once needs neither. A scope can
 * stand as the options of a call made inside it.
 */
export class CallScope implements CallOptions, Disposable {
  readonly #subject: string;
  readonly #clock: Clock;
  readonly #from: AbortSignal | undefined;
  readonly #parents: CallScope[] = [];
  /** Undefined also when a parent ends first, which brings its own time and reason. */
  readonly #timeoutMs: number | undefined;
  // Made on first use: most calls have one listener at the most.
  #detach: (() => void)[] | undefined;
  #listeners: Set<CancelListener> | undefined;
  #controller: AbortController | undefined;
  #attached = false;
  #cancelled = false;
  #disposed = false;
  #reason: unknown;

  /** When this call's time is over, in milliseconds since the epoch; `Infinity` without a limit. */
  readonly deadline: number;

  constructor(subject: string, { clock = systemClock, signal, timeoutMs, parents }: ScopeOptions = {}) {
    assertSignal(signal);
    assertTimeout(timeoutMs);
    this.#subject = subject;
    this.#clock = clock;
    this.#from = signal;
    let inherited = Number.POSITIVE_INFINITY;
    for (const parent of parents ?? []) {
      // A context that is over neither cancels nor limits what was started in it and left running.
      if (!parent || (parent.#disposed && !parent.#cancelled)) continue;
      inherited = Math.min(inherited, parent.deadline);
      this.#parents.push(parent);
    }
    const own = timeoutMs === undefined ? inherited : clock.now() + timeoutMs;
    this.#timeoutMs = own < inherited ? timeoutMs : undefined;
    this.deadline = Math.min(own, inherited);
  }

  /** True once the call was cancelled, timed out, or its parent ended. */
  get cancelled(): boolean {
    if (!this.#cancelled && !this.#attached && !this.#disposed) this.#look();
    return this.#cancelled;
  }

  /** Why it ended: the caller's own `signal.reason`, or a {@link TimeoutError}. */
  get reason(): unknown {
    return this.cancelled ? this.#reason : undefined;
  }

  /** A signal for drivers. Created on first read. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#attach();
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
    if (this.cancelled) throw this.#reason;
  }

  /** Calls `listener` once when the scope ends, at once if it has. The returned function takes it back. */
  onCancel(listener: CancelListener): () => void {
    this.#attach();
    if (this.#cancelled) {
      listener(this.#reason);
      return noop;
    }
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => this.#listeners?.delete(listener);
  }

  /** Calls `release` once when the scope is disposed, at once if it is. */
  onDispose(release: () => void): void {
    this.#detach ??= [];
    if (this.#disposed) release();
    else this.#detach.push(release);
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
    return this.cancelled ? Promise.reject(this.#reason) : this.#race(work);
  }

  /** {@link run} for work that has begun: its own rejection is taken care of though the scope has ended. */
  wait<T>(working: PromiseLike<T>): Promise<T> {
    return this.#race(() => working);
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

  #race<T>(work: () => Awaitable<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // First, so that work which is done in one long turn counts, although its time is over by then.
      const off = this.onCancel(reject);
      let working: Awaitable<T>;
      try {
        working = work();
      } catch (error) {
        off();
        reject(error);
        return;
      }
      Promise.resolve(working).then(
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

  /** Sees what has ended by now, where nothing is attached that would have told. */
  #look(): void {
    if (this.#from?.aborted) this.cancel(this.#from.reason);
    for (const parent of this.#parents) if (parent.cancelled) this.cancel(parent.#reason);
    if (this.#timeoutMs !== undefined && this.#clock.now() >= this.deadline) this.#timeOut(this.#timeoutMs);
  }

  #attach(): void {
    if (this.cancelled || this.#attached || this.#disposed) return;
    this.#attached = true;
    const end = (reason: unknown): void => this.cancel(reason);
    for (const parent of this.#parents) this.onDispose(parent.onCancel(end));
    if (this.#from) this.onDispose(followSignal(this.#from, end));
    const timeoutMs = this.#timeoutMs;
    if (timeoutMs !== undefined)
      this.onDispose(this.#clock.schedule(() => this.#timeOut(timeoutMs), this.deadline - this.#clock.now()));
  }

  #timeOut(timeoutMs: number): void {
    this.cancel(new TimeoutError(this.#subject, timeoutMs));
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

function assertTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs > 0)) return;
  const message = `timeoutMs must be a number of milliseconds above 0, got ${timeoutMs}`;
  throw new ConfigurationError(message, { field: 'timeoutMs' });
}

function assertSignal(signal: AbortSignal | undefined): void {
  if (signal && typeof signal.addEventListener !== 'function')
    throw new ConfigurationError('signal must be an AbortSignal', { field: 'signal' });
}
