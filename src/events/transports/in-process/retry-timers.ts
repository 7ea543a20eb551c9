import type { Clock } from '../../../core/index.js';
import type { OwedEvent } from './owed-event.js';

interface Wait {
  readonly delayMs: number;
  readonly dueAt: number;
  stop: () => void;
}

/**
 * The events of a group between two attempts. Timers run only while somebody could take what they
 * bring: a group without members does not keep the process alive.
 */
export class RetryTimers {
  readonly #clock: Clock;
  readonly #onDue: (owed: OwedEvent) => void;
  readonly #waits: Map<OwedEvent, Wait> = new Map();
  #running = false;

  constructor(clock: Clock, onDue: (owed: OwedEvent) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Starts a wait. The returned function ends it. */
  add(owed: OwedEvent, delayMs: number): () => void {
    const wait = { delayMs, dueAt: this.#clock.now() + delayMs, stop: noop };
    this.#waits.set(owed, wait);
    if (this.#running) this.#arm(owed, wait);
    return () => {
      wait.stop();
      this.#waits.delete(owed);
    };
  }

  /** What became due in between comes at once. */
  resume(): void {
    if (this.#running) return;
    this.#running = true;
    for (const [owed, wait] of this.#waits) this.#arm(owed, wait);
  }

  pause(): void {
    this.#running = false;
    for (const wait of this.#waits.values()) wait.stop();
  }

  #arm(owed: OwedEvent, wait: Wait): void {
    // Never longer than it was meant to be, also when the clock jumped back.
    const leftMs = Math.min(wait.delayMs, Math.max(0, wait.dueAt - this.#clock.now()));
    wait.stop = this.#clock.schedule(() => {
      this.#waits.delete(owed);
      this.#onDue(owed);
    }, leftMs);
  }
}

function noop(): void {}
