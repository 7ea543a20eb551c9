import type { Clock } from '../core/index.js';

/** How a connection that died without a word is found. */
export interface HeartbeatOptions {
  /** A ping frame goes out this often, in milliseconds. @default 20000 */
  readonly intervalMs?: number;
  /** The connection is dead when nothing at all arrived for this long after a ping, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
}

/** What a {@link Heartbeat} needs. */
export interface HeartbeatParts {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly ping: () => void;
  readonly dead: () => void;
}

/**
 * Pings at a steady pace and tells when nothing came back: a peer that falls silent is found within
 * interval plus timeout. It counts arrivals instead of comparing times, so a clock that jumps cannot
 * kill a connection.
 */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  readonly #cancels: Set<() => void> = new Set();
  #signs = 0;
  #stopped = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
    this.#schedule(this.#parts.intervalMs, () => this.#beat());
  }

  /** Something arrived, whatever it was. */
  alive(): void {
    this.#signs += 1;
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #beat(): void {
    const { intervalMs, timeoutMs, ping } = this.#parts;
    const before = this.#signs;
    this.#schedule(intervalMs, () => this.#beat());
    this.#schedule(timeoutMs, () => this.#check(before));
    ping();
  }

  #check(before: number): void {
    if (this.#signs !== before) return;
    // A process that was busy or asleep runs its timers first: what arrived meanwhile is read before this.
    setImmediate(() => {
      if (!this.#stopped && this.#signs === before) this.#parts.dead();
    });
  }

  #schedule(ms: number, fn: () => void): void {
    const cancel = this.#parts.clock.schedule(() => {
      this.#cancels.delete(cancel);
      fn();
    }, ms);
    this.#cancels.add(cancel);
  }
}
