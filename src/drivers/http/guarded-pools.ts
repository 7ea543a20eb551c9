import { LRUCache } from 'lru-cache';
import type { AddressGuard } from './guard/index.js';

/** Who comes again after its pool went only connects anew. */
const maxPools = 32;

/**
 * Connections under guards, a pool for each guard: those that were opened unguarded, or under another one,
 * prove nothing. The least recently used go, so that a transport that outlives many APIs does not keep
 * the connections of all of them.
 */
export class GuardedPools<Pool extends object> {
  readonly #pools: LRUCache<AddressGuard, Pool>;

  /** @param retire lets go of a pool whose last requests may still run */
  constructor(retire: (pool: Pool) => void) {
    this.#pools = new LRUCache({ max: maxPools, dispose: retire });
  }

  for(guard: AddressGuard, open: () => Pool): Pool {
    const known = this.#pools.get(guard);
    if (known) return known;
    const opened = open();
    this.#pools.set(guard, opened);
    return opened;
  }

  values(): Iterable<Pool> {
    return this.#pools.values();
  }
}
