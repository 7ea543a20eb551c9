import { LRUCache } from 'lru-cache';
import type { CacheRequest, StoredAnswer } from './stored-answer.js';
import { matches } from './vary.js';

/** Bounds of an {@link AnswerStore}. */
export interface AnswerStoreOptions {
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
}

const maxVariants = 16;

/**
 * Stored answers by principal and URL, each with its variants, the newest first. Bounded in bytes, and per
 * URL and principal in variants.
 */
export class AnswerStore {
  readonly #entries: LRUCache<string, readonly StoredAnswer[]>;
  /** Of the keys in `#entries`, no others: so it is bounded with them. */
  readonly #keysByURL: Map<string, Set<string>> = new Map();
  #evicted = 0;

  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;

  constructor({ maxBytes, maxEntryBytes }: AnswerStoreOptions) {
    this.#maxBytes = Math.min(maxBytes, Number.MAX_SAFE_INTEGER);
    this.#maxEntryBytes = Math.min(maxEntryBytes, this.#maxBytes);
    this.#entries = new LRUCache({
      maxSize: this.#maxBytes,
      dispose: (_, key, reason) => {
        if (reason === 'evict') this.#evicted += 1;
        if (reason !== 'set') this.#unlink(key);
      },
    });
  }

  /** URLs times principals. */
  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** Dropped to keep `maxBytes`. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The variants under a key (see {@link keyOf}), the newest first. */
  variants(key: string): readonly StoredAnswer[] | undefined {
    return this.#entries.get(key);
  }

  /** Puts an answer in the place of the variant for the same request. False when it is too large. */
  put(request: CacheRequest, answer: StoredAnswer): boolean {
    const key = keyOf(request);
    const others = this.#others(key, request);
    const fits = answer.bytes + bytesOfKey(key) <= this.#maxEntryBytes;
    this.#set(key, fits ? [answer, ...others] : others);
    if (!fits) return false;
    const keys = this.#keysByURL.get(request.url) ?? new Set();
    this.#keysByURL.set(request.url, keys.add(key));
    return true;
  }

  /** Forgets the variant for a request. */
  remove(request: CacheRequest): void {
    const key = keyOf(request);
    if (this.#entries.has(key)) this.#set(key, this.#others(key, request));
  }

  /** Forgets a URL for every principal. */
  removeURL(url: string): number {
    const keys = [...(this.#keysByURL.get(url) ?? [])];
    for (const key of keys) this.#entries.delete(key);
    return keys.length;
  }

  clear(): void {
    this.#entries.clear();
  }

  #others(key: string, request: CacheRequest): readonly StoredAnswer[] {
    return (this.#entries.peek(key) ?? []).filter((other) => !matches(other, request.headers));
  }

  /** As many of the variants as fit. */
  #set(key: string, variants: readonly StoredAnswer[]): void {
    let size = bytesOfKey(key);
    const kept = variants.slice(0, maxVariants).filter(({ bytes }) => {
      if (size + bytes > this.#maxBytes) return false;
      size += bytes;
      return true;
    });
    if (kept.length === 0) this.#entries.delete(key);
    else this.#entries.set(key, kept, { size });
  }

  #unlink(key: string): void {
    const url = key.slice(key.indexOf('\n') + 1);
    const keys = this.#keysByURL.get(url);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysByURL.delete(url);
  }
}

/** The key stands in two places, the URL in it in a third. */
function bytesOfKey(key: string): number {
  return 3 * key.length;
}

export function keyOf({ principal, url }: Pick<CacheRequest, 'principal' | 'url'>): string {
  return `${principal}\n${url}`;
}
