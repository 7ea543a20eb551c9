import { CallScope, openScope, type ScopeOptions } from './call-scope.js';
import { detach } from './context.js';
import { ClosedError } from './errors/closed-error.js';
import { ConfigurationError } from './errors/configuration-error.js';
import type { Awaitable, CloseOptions } from './types.js';

const defaultCloseMs = 5_000;
/** The rest of the time is kept for releasing, so that stuck calls cannot use it up. */
export const drainShare = 0.8;
/** Also a close that wants no time at all lets go of what it holds. */
const leastReleaseMs = 50;

/**
 * The part of an owner of resources that knows what is running: it refuses work after `close`, lets
 * running calls finish until the deadline, cancels the rest, then releases the resources once.
 */
export class Lifecycle {
  readonly #owner: string;
  readonly #running: Set<CallScope> = new Set();
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(owner: string) {
    this.#owner = owner;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** How many calls run now. */
  get running(): number {
    return this.#running.size;
  }

  /** @throws ClosedError after `close` */
  assertOpen(): void {
    if (this.#closing) throw new ClosedError(this.#owner);
  }

  /**
   * Runs one call inside its own scope. It ends with the caller's signal or time, with the active
   * context, or with the owner's close deadline.
   *
   * @throws ClosedError after `close`
   */
  async call<T>(subject: string, options: ScopeOptions, work: (scope: CallScope) => Awaitable<T>): Promise<T> {
    using scope = this.enter(subject, options);
    return await scope.run(() => work(scope));
  }

  /**
   * The scope of a call that its caller runs: `call`, for what may be over without waiting. It counts
   * as running until it is disposed.
   *
   * @throws ClosedError after `close`
   */
  enter(subject: string, options: ScopeOptions): CallScope {
    this.assertOpen();
    const scope = openScope(subject, options);
    this.#running.add(scope);
    scope.onDispose(() => {
      this.#running.delete(scope);
      if (this.#running.size === 0) this.#idle?.();
    });
    return scope;
  }

  /**
   * Closes once; later calls get the same promise. `release` gets the milliseconds left for it. It
   * settles by the deadline, or 50 ms after it began to release, even when `release` does not; errors of `release` reject.
   */
  close(options: CloseOptions, release: (remainingMs: number) => Awaitable<void>): Promise<void> {
    const timeoutMs = options.timeoutMs ?? defaultCloseMs;
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
      const message = `timeoutMs of close must be a number of milliseconds, 0 or more, got ${timeoutMs}`;
      return Promise.reject(new ConfigurationError(message, { field: 'timeoutMs' }));
    }
    this.#closing ??= detach(() => this.#close(timeoutMs, release));
    return this.#closing;
  }

  async #close(timeoutMs: number, release: (remainingMs: number) => Awaitable<void>): Promise<void> {
    const subject = `close of ${this.#owner}`;
    const drainMs = timeoutMs * drainShare;
    const deadline = performance.now() + timeoutMs;
    if (drainMs > 0) {
      using draining = new CallScope(subject, { timeoutMs: drainMs });
      await draining.run(() => this.#drained()).catch(() => undefined);
    }
    for (const scope of [...this.#running]) scope.cancel(new ClosedError(this.#owner));
    // Time that draining did not need is for releasing.
    const releaseMs = Math.max(deadline - performance.now(), timeoutMs * (1 - drainShare), leastReleaseMs);
    using releasing = new CallScope(subject, { timeoutMs: releaseMs });
    await releasing.run(() => release(releasing.remainingMs));
  }

  #drained(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }
}
