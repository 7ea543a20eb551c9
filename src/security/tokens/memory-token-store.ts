import { type Clock, QueueFullError, systemClock } from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import type { FamilyMember, Rotation, TokenStore } from './token-store.js';

/** Settings of {@link MemoryTokenStore}. */
export interface MemoryTokenStoreOptions {
  /** Revocations and families that may be kept. None is dropped before its time: what does not fit rejects. @default 1000000 */
  readonly maxEntries?: number;
  readonly clock?: Clock;
}

const optionChecks: OptionChecks<MemoryTokenStoreOptions> = { maxEntries: is.count, clock: is.object };

interface Entry {
  readonly expiresAtMs: number;
  /** The latest refresh token of a family; undefined for what was revoked. */
  readonly latest?: string;
}

/** For one process: another one neither sees what was revoked here nor can refresh a token of this one. */
export class MemoryTokenStore implements TokenStore {
  readonly #entries: Map<string, Entry> = new Map();
  readonly #maxEntries: number;
  readonly #clock: Clock;
  #sweepAt = 1_024;

  constructor(options: MemoryTokenStoreOptions = {}) {
    checkOptions('MemoryTokenStore', options, optionChecks);
    this.#maxEntries = options.maxEntries ?? 1_000_000;
    this.#clock = options.clock ?? systemClock;
  }

  /** @throws QueueFullError when `maxEntries` are kept that are not over */
  revoke(id: string, expiresAtMs: number): void {
    const known = this.#live(id)?.expiresAtMs ?? 0;
    this.#set(id, { expiresAtMs: Math.max(known, expiresAtMs) });
  }

  isRevoked(ids: readonly string[]): boolean {
    return ids.some((id) => {
      const entry = this.#live(id);
      return entry !== undefined && entry.latest === undefined;
    });
  }

  /** @throws QueueFullError when `maxEntries` are kept that are not over */
  begin({ family, id, expiresAtMs }: FamilyMember): void {
    this.#set(family, { expiresAtMs, latest: id });
  }

  rotate({ family, id, expiresAtMs }: FamilyMember, nextId: string): Rotation {
    const entry = this.#live(family);
    if (entry?.latest === undefined) return 'ended';
    if (entry.latest === id) {
      this.#entries.set(family, { expiresAtMs, latest: nextId });
      return 'rotated';
    }
    this.#entries.set(family, { expiresAtMs: entry.expiresAtMs });
    return 'reused';
  }

  #live(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    return entry && entry.expiresAtMs > this.#clock.now() ? entry : undefined;
  }

  #set(id: string, entry: Entry): void {
    // Sweeping when it has doubled makes a sweep cost each entry a constant.
    if (this.#entries.size >= Math.min(this.#sweepAt, this.#maxEntries)) this.#sweep();
    if (this.#entries.size >= this.#maxEntries && !this.#entries.has(id))
      throw new QueueFullError('the memory of revoked tokens', `maxEntries: ${this.#maxEntries}`);
    this.#entries.set(id, entry);
  }

  #sweep(): void {
    for (const id of this.#entries.keys()) if (!this.#live(id)) this.#entries.delete(id);
    this.#sweepAt = Math.max(1_024, this.#entries.size * 2);
  }
}
