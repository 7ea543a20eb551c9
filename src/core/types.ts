import type { Health } from './health.js';

/** A value, or a promise of one. */
export type Awaitable<T> = T | PromiseLike<T>;

/** The last argument of everything that waits. */
export interface CallOptions {
  /** Cancels the call. It rejects with `signal.reason`, at the latest 50 ms later, also while queued. */
  readonly signal?: AbortSignal;
  /** Longest time for the whole call, waiting and retries included, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Settings of {@link Closeable.close}. */
export interface CloseOptions {
  /**
   * Time for closing, in milliseconds: up to four fifths for running work to finish, which is then cancelled,
   * and what is left of it, at least a fifth and 50 ms, for letting go of resources. 0 cancels at once.
   *
   * @default 5000
   */
  readonly timeoutMs?: number;
}

/**
 * An owner of a resource. `close` is idempotent, refuses new work at once, lets running work finish
 * until its deadline, and then settles in every state.
 */
export interface Closeable extends AsyncDisposable {
  close(options?: CloseOptions): Promise<void>;
}

/** Something with a remote behind it. `health` never throws: a failure is an answer. */
export interface HealthCheck {
  readonly name: string;
  health(options?: CallOptions): Promise<Health>;
}
