import type { CallScope } from '../../core/index.js';
import type { SignalLike } from '../sdk/client-sdk.js';

/** The end of a scope as the SDK listens to it. An `AbortSignal` for each call would cost more than the call's other bookkeeping. */
export class ScopeSignal implements SignalLike {
  readonly #scope: CallScope;
  // One at a time listens to nearly all calls.
  #listener: (() => void) | undefined;
  #off: (() => void) | undefined;
  #others: Map<() => void, () => void> | undefined;

  constructor(scope: CallScope) {
    this.#scope = scope;
  }

  get aborted(): boolean {
    return this.#scope.cancelled;
  }

  get reason(): unknown {
    return this.#scope.reason;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    const off = this.#scope.onCancel(listener);
    if (this.#off) {
      this.#others ??= new Map();
      this.#others.set(listener, off);
    } else {
      this.#listener = listener;
      this.#off = off;
    }
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (listener === this.#listener) {
      this.#off?.();
      this.#off = undefined;
      this.#listener = undefined;
    } else {
      this.#others?.get(listener)?.();
      this.#others?.delete(listener);
    }
  }
}
