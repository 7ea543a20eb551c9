import { LRUCache } from 'lru-cache';
import { lazy } from '../../core/internal.js';
import type { HTTPCacheOptions } from './cache-options.js';
import { freshForMs } from './freshness.js';
import { bytesOf, type Headers, matches, type Variant, varyOf } from './variant.js';

/** A request as the cache sees it. */
export interface CacheRequest {
  /** Final URL. */
  readonly url: string;
  /** Whom the answer is for; entries of different principals never meet. */
  readonly principal: string;
  /** By lower-case name. */
  readonly headers: Headers;
}

/** What a server answered. */
export interface CacheableAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** An answer out of the cache. `headers` has the current `age`. */
export interface CacheHit extends CacheableAnswer {
  readonly ageMs: number;
}

/** Counters of a cache. */
export interface HTTPCacheStats {
  readonly hits: number;
  readonly misses: number;
  readonly stored: number;
  /** Dropped to keep `maxBytes`. */
  readonly evicted: number;
  readonly bytes: number;
}

/**
 * One or more requests under way for a URL. It ends, and what they bring is not stored, when the URL is
 * invalidated: they may have been answered before the write.
 */
export interface Fill {
  readonly id: number;
  valid: boolean;
  users: number;
}

const loadSemantics = lazy(() => import('http-cache-semantics'));
const maxVariants = 16;

/**
 * A private HTTP cache by RFC 9111, bounded in bytes: GET answers that are fresh are used again, by URL,
 * principal and the fields of `Vary`.
 */
export class HTTPCache {
  readonly #heuristicMs: number;
  readonly #entries: LRUCache<string, Variant[]>;
  /** Of the keys in `#entries`, no others: so it is bounded with them. */
  readonly #keysByURL: Map<string, Set<string>> = new Map();
  readonly #fills: Map<string, Fill> = new Map();
  #nextFill = 1;
  #hits = 0;
  #misses = 0;
  #stored = 0;
  #evicted = 0;

  constructor(options: HTTPCacheOptions = {}) {
    const maxSize = options.maxBytes ?? 50 * 1024 * 1024;
    this.#heuristicMs = options.heuristicMs ?? 0;
    this.#entries = new LRUCache({
      maxSize: Math.min(maxSize, Number.MAX_SAFE_INTEGER),
      maxEntrySize: Math.min(options.maxEntryBytes ?? maxSize, maxSize, Number.MAX_SAFE_INTEGER),
      sizeCalculation: (variants, key) => variants.reduce((sum, variant) => sum + bytesOf(variant), key.length),
      dispose: (_, key, reason) => {
        if (reason === 'evict') this.#evicted += 1;
        if (reason !== 'set') this.#unlink(key);
      },
    });
  }

  stats(): HTTPCacheStats {
    const { calculatedSize: bytes } = this.#entries;
    return { hits: this.#hits, misses: this.#misses, stored: this.#stored, evicted: this.#evicted, bytes };
  }

  /** A fresh answer for the request, if there is one. */
  lookup(request: CacheRequest): CacheHit | undefined {
    const hit = this.#find(request);
    if (hit) this.#hits += 1;
    else this.#misses += 1;
    return hit;
  }

  /** Begins, or joins, the filling of a URL. Pair it with {@link HTTPCache.endFill}. */
  beginFill(url: string): Fill {
    const fill = this.#fills.get(url) ?? { id: this.#nextFill++, valid: true, users: 0 };
    fill.users += 1;
    this.#fills.set(url, fill);
    return fill;
  }

  endFill(url: string, fill: Fill): void {
    fill.users -= 1;
    if (fill.users === 0 && this.#fills.get(url) === fill) this.#fills.delete(url);
  }

  /** Keeps an answer if RFC 9111 allows it and it is fresh. */
  async store(request: CacheRequest, answer: CacheableAnswer, fill: Fill): Promise<void> {
    const { default: CachePolicy } = await loadSemantics();
    const { status, headers } = answer;
    const vary = varyOf(headers, request.headers);
    if (!vary || !fill.valid) return;
    const rules = new CachePolicy(
      directivesOf(request),
      { status, headers: { ...headers } },
      { shared: false, cacheHeuristic: 0 },
    );
    const freshMs = freshForMs(rules, status, headers, this.#heuristicMs);
    if (freshMs <= 0) return;
    const storedAt = Date.now();
    this.#put(request, {
      status,
      headers,
      // A copy: what the socket delivered is a window on a buffer many times its size.
      body: new Uint8Array(answer.body),
      rules,
      vary,
      initialAgeMs: rules.age() * 1_000,
      storedAt,
      staleAt: storedAt + freshMs,
    });
  }

  /** Forgets a URL for every principal, also what is under way for it (RFC 9111 section 4.4). */
  invalidate(url: string): void {
    for (const key of this.#keysByURL.get(url) ?? []) this.#entries.delete(key);
    const fill = this.#fills.get(url);
    if (fill) fill.valid = false;
    this.#fills.delete(url);
  }

  clear(): void {
    this.#entries.clear();
  }

  #find(request: CacheRequest): CacheHit | undefined {
    const variant = this.#entries.get(keyOf(request))?.find((candidate) => matches(candidate, request.headers));
    const now = Date.now();
    if (!variant || now >= variant.staleAt || now < variant.storedAt) return undefined;
    // The request itself may ask for something younger.
    const { 'cache-control': control, pragma } = request.headers;
    const asks = control !== undefined || pragma !== undefined;
    if (asks && !variant.rules.satisfiesWithoutRevalidation(directivesOf(request))) return undefined;
    const ageMs = variant.initialAgeMs + now - variant.storedAt;
    const { status, body } = variant;
    return { status, body, ageMs, headers: { ...variant.headers, age: String(Math.floor(ageMs / 1_000)) } };
  }

  #put(request: CacheRequest, variant: Variant): void {
    const key = keyOf(request);
    const now = Date.now();
    const others = (this.#entries.get(key) ?? []).filter(
      (other) => now < other.staleAt && !matches(other, request.headers),
    );
    this.#entries.set(key, [variant, ...others.slice(0, maxVariants - 1)]);
    // Too large, it took the key with it, which `dispose` does not tell from a replacement.
    if (!this.#entries.has(key)) {
      this.#unlink(key);
      return;
    }
    this.#stored += 1;
    const keys = this.#keysByURL.get(request.url) ?? new Set();
    this.#keysByURL.set(request.url, keys.add(key));
  }

  #unlink(key: string): void {
    const url = key.slice(key.indexOf('\n') + 1);
    const keys = this.#keysByURL.get(url);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysByURL.delete(url);
  }
}

/** What the policy has to know of a request: its directives. Vary is matched here, and credentials need not be kept. */
function directivesOf({ url, headers }: CacheRequest): {
  url: string;
  method: string;
  headers: Record<string, string>;
} {
  const { 'cache-control': control, pragma } = headers;
  return { url, method: 'GET', headers: { ...(control && { 'cache-control': control }), ...(pragma && { pragma }) } };
}

function keyOf({ principal, url }: CacheRequest): string {
  return `${principal}\n${url}`;
}
