import { type Count, type RateQuota, slotsPerInterval } from './rate-limit.js';

/**
 * The strict sliding window of one key: an interval is counted in 60 slots, and a slot counts until all of it lies
 * an interval back, so that no interval, wherever it begins, sees more than the limit.
 */
export class WindowCounter {
  /** Oldest first. */
  readonly #slots: { readonly slot: number; count: number }[] = [];
  readonly #limit: number;
  readonly #intervalMs: number;
  readonly #widthMs: number;
  #used = 0;
  #blockedUntilMs = 0;

  constructor({ limit, intervalMs }: RateQuota) {
    this.#limit = limit;
    this.#intervalMs = intervalMs;
    this.#widthMs = intervalMs / slotsPerInterval;
  }

  /** @param force takes the units whether or not they are there */
  take(cost: number, nowMs: number, force = false): Count {
    this.#expire(nowMs);
    const blockedMs = this.#blockedUntilMs - nowMs;
    const allowed = blockedMs <= 0 && this.#used + cost <= this.#limit;
    if ((allowed || force) && cost > 0) this.#add(cost, nowMs);
    const retryAfterMs = allowed ? 0 : Math.max(blockedMs, this.#waitMs(cost, nowMs));
    const last = this.#slots.at(-1);
    const resetMs = Math.max(blockedMs, last ? this.#endMs(last.slot) - nowMs : 0, 0);
    return { allowed, used: this.#used, retryAfterMs, resetMs };
  }

  block(untilMs: number): void {
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, untilMs);
  }

  #add(cost: number, nowMs: number): void {
    const slot = Math.floor(nowMs / this.#widthMs);
    const last = this.#slots.at(-1);
    // A clock that was set back counts into the newest slot: time does not run twice.
    if (last && last.slot >= slot) last.count += cost;
    else this.#slots.push({ slot, count: cost });
    this.#used += cost;
  }

  #expire(nowMs: number): void {
    for (let first = this.#slots[0]; first && this.#endMs(first.slot) <= nowMs; first = this.#slots[0]) {
      this.#used -= first.count;
      this.#slots.shift();
    }
  }

  #endMs(slot: number): number {
    return (slot + 1) * this.#widthMs + this.#intervalMs;
  }

  #waitMs(cost: number, nowMs: number): number {
    let used = this.#used;
    for (const { slot, count } of this.#slots) {
      if (used + cost <= this.#limit) break;
      used -= count;
      if (used + cost <= this.#limit) return this.#endMs(slot) - nowMs;
    }
    return 0;
  }
}
