import { performance } from 'node:perf_hooks';
import { TimeoutError } from '../core/index.js';
import type { Handling } from './handling.js';

/** The handlers of one consumer that have not returned, with one timer for the time that each may take. */
export class RunningHandlers {
  readonly #cancel: (handling: Handling, reason: unknown) => void;
  /** In the order in which their time is over. */
  readonly #handlings: Set<Handling> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  /** @param cancel ends one whose time is over */
  constructor(cancel: (handling: Handling, reason: unknown) => void) {
    this.#cancel = cancel;
  }

  get size(): number {
    return this.#handlings.size;
  }

  add(handling: Handling): void {
    this.#handlings.add(handling);
    if (this.#handlings.size === 1) this.#watch();
  }

  delete(handling: Handling): void {
    this.#handlings.delete(handling);
    if (this.#handlings.size > 0) return;
    // Left for the next one to use: it keeps no process alive then.
    this.#timer?.unref();
    this.#idle?.();
    this.#idle = undefined;
  }

  cancelAll(reason: unknown): void {
    for (const handling of [...this.#handlings]) this.#cancel(handling, reason);
  }

  /** Resolves once nothing runs. */
  idle(): Promise<void> {
    if (this.#handlings.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  #watch(): void {
    if (this.#timer) this.#timer.ref();
    else this.#arm();
  }

  #arm(): void {
    const [oldest] = this.#handlings;
    if (!oldest || oldest.deadline === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => this.#expire(),
      Math.min(Math.max(1, oldest.deadline - performance.now()), 2 ** 31 - 1),
    );
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const handling of this.#handlings) {
      if (handling.deadline > now) break;
      const { subject, timeoutMs } = handling.limits;
      this.#cancel(handling, new TimeoutError(subject, timeoutMs));
    }
    this.#arm();
  }
}
