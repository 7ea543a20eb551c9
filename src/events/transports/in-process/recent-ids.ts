/** The ids of one channel that were published lately, bounded in number. */
export class RecentIds {
  readonly #expiry: Map<string, number> = new Map();
  readonly #maxIds: number;
  #forgotten = 0;

  constructor(maxIds: number) {
    this.#maxIds = maxIds;
  }

  /** How many ids were forgotten before their window was over, to keep the bound. */
  get forgotten(): number {
    return this.#forgotten;
  }

  has(id: string, now: number): boolean {
    return (this.#expiry.get(id) ?? 0) > now;
  }

  remember(id: string, now: number, windowMs: number): void {
    this.#expiry.delete(id);
    if (windowMs <= 0) return;
    this.#prune(now);
    this.#expiry.set(id, now + windowMs);
  }

  /** Oldest first: ids leave in the order they came, which is the order they expire in for one window. */
  #prune(now: number): void {
    for (const [id, expiresAt] of this.#expiry) {
      if (expiresAt > now) {
        if (this.#expiry.size < this.#maxIds) return;
        this.#forgotten += 1;
      }
      this.#expiry.delete(id);
    }
  }
}
