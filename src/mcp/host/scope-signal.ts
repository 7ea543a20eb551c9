import type { CallScope } from '../../core/index.js';
import type { SignalLike } from '../sdk/client-sdk.js';

/** The end of a scope as the SDK listens to it. An `AbortSignal` for each call would cost more than the call's other bookkeeping. */
export class ScopeSignal implements SignalLike {
  readonly #scope: CallScope;
  readonly #taken: Map<() => void, () => void> = new Map();

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
    this.#taken.set(listener, this.#scope.onCancel(listener));
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#taken.get(listener)?.();
    this.#taken.delete(listener);
  }
}
