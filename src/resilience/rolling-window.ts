import type { Clock } from '../core/index.js';

const slots = 10;

/**
 * Counts successes and failures of the last `windowMs`, in ten slots. A slot is forgotten when its time
 * is over, also after a quiet hour.
 */
export class RollingWindow {
  readonly #slotMs: number;
  readonly #clock: Clock;
  readonly #failures: number[] = new Array<number>(slots).fill(0);
  readonly #totals: number[] = new Array<number>(slots).fill(0);
  #slot: number;

  constructor(windowMs: number, clock: Clock) {
    this.#slotMs = windowMs / slots;
    this.#clock = clock;
    this.#slot = this.#now();
  }

  record(failed: boolean): void {
    this.#advance();
    const index = this.#slot % slots;
    this.#totals[index] = (this.#totals[index] ?? 0) + 1;
    if (failed) this.#failures[index] = (this.#failures[index] ?? 0) + 1;
  }

  counts(): { readonly failures: number; readonly total: number } {
    this.#advance();
    return { failures: sum(this.#failures), total: sum(this.#totals) };
  }

  reset(): void {
    this.#failures.fill(0);
    this.#totals.fill(0);
  }

  #now(): number {
    return Math.floor(this.#clock.now() / this.#slotMs);
  }

  #advance(): void {
    const now = this.#now();
    // A clock that was set back must not make the loop forget or repeat slots.
    const steps = Math.min(slots, Math.max(0, now - this.#slot));
    for (let step = 1; step <= steps; step++) {
      const index = (this.#slot + step) % slots;
      this.#failures[index] = 0;
      this.#totals[index] = 0;
    }
    this.#slot = now;
  }
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
