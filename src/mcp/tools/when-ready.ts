import type { Awaitable } from '../../core/index.js';

/**
 * Goes on with a value: now if it is there, else when it is. A call that has nothing to wait for makes
 * no promise by it, each of which would cost as much as the check of its arguments.
 */
export function whenReady<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value);
}

/** {@link whenReady} for work that may fail, at once or later. A failure of `done` is not told to `failed`. */
export function settle<T, R>(
  work: () => Awaitable<T>,
  done: (value: T) => Awaitable<R>,
  failed: (error: unknown) => Awaitable<R>,
): Awaitable<R> {
  let value: Awaitable<T>;
  try {
    value = work();
  } catch (error) {
    return failed(error);
  }
  return isThenable(value) ? Promise.resolve(value).then(done, failed) : done(value);
}

/** True for promises, and for what can be awaited like one, such as a query that was not run yet. */
export function isThenable<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
