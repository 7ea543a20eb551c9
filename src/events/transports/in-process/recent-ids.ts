import { SlidingArray } from '../../sliding-array.js';

interface RecentId {
  readonly id: string;
  readonly expiresAt: number;
}

/** The ids of one channel that were published lately, bounded in number. */
export class RecentIds {
  readonly #maxIds: number;
  readonly #latest: Map<string, RecentId> = new Map();
  /** In the order they came, which for one window is the order they expire in. */
  readonly #byAge: SlidingArray<RecentId> = new SlidingArray();
  #forgotten = 0;

  constructor(maxIds: number) {
    this.#maxIds = maxIds;
  }

  /** How many ids were forgotten before their window was over, to keep the bound. */
  get forgotten(): number {
    return this.#forgotten;
  }

  has(id: string, now: number): boolean {
    return (this.#latest.get(id)?.expiresAt ?? 0) > now;
  }

  remember(id: string, now: number, windowMs: number): void {
    if (windowMs <= 0) return;
    const recent = { id, expiresAt: now + windowMs };
    this.#latest.set(id, recent);
    this.#byAge.push(recent);
    this.#prune(now);
  }

  #prune(now: number): void {
    for (let oldest = this.#oldest(); oldest; oldest = this.#oldest()) {
      if (oldest.expiresAt > now) {
        if (this.#byAge.length <= this.#maxIds) return;
        this.#forgotten += 1;
      }
      this.#byAge.shift();
      // The same id may have come again since.
      if (this.#latest.get(oldest.id) === oldest) this.#latest.delete(oldest.id);
    }
  }

  #oldest(): RecentId | undefined {
    return this.#byAge.at(this.#byAge.first);
  }
}
