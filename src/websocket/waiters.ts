import type { CallScope } from '../core/index.js';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Those who wait for one thing together; each may leave early by its scope. */
export class Waiters {
  readonly #waiting: Set<Waiter> = new Set();

  get size(): number {
    return this.#waiting.size;
  }

  /** @param onLeave Called when the scope ended the wait. */
  join(scope: CallScope, onLeave: () => void): Promise<void> {
    if (scope.cancelled) return Promise.reject(scope.reason);
    return new Promise((resolve, reject) => {
      const off = scope.onCancel((reason) => {
        this.#waiting.delete(waiter);
        reject(reason);
        onLeave();
      });
      const waiter: Waiter = {
        resolve() {
          off();
          resolve();
        },
        reject(reason) {
          off();
          reject(reason);
        },
      };
      this.#waiting.add(waiter);
    });
  }

  resolve(): void {
    for (const waiter of this.#taken()) waiter.resolve();
  }

  /** Takes all who wait now; the returned function rejects them, and nobody who joined meanwhile. */
  take(): (reason: unknown) => void {
    const taken = this.#taken();
    return (reason) => {
      for (const waiter of taken) waiter.reject(reason);
    };
  }

  #taken(): Waiter[] {
    const taken = [...this.#waiting];
    this.#waiting.clear();
    return taken;
  }
}
