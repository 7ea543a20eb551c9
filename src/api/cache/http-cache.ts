import { lazy } from '../../core/internal.js';
import { AnswerStore, keyOf } from './answer-store.js';
import { directivesOf } from './cache-control.js';
import type { HTTPCacheOptions } from './cache-options.js';
import { type Fill, Fills } from './fills.js';
import { type Exchanged, type FreshnessSettings, judge, plainRequest } from './freshness.js';
import { storableFields, updatedFields } from './header-fields.js';
import { ageOf, bytesOf, type CacheableAnswer, type CacheRequest, type StoredAnswer } from './stored-answer.js';
import { matches, varyOf } from './vary.js';

/** How a stored answer may be used for a request. */
export interface Found {
  readonly answer: StoredAnswer;
  readonly ageMs: number;
  /** As it is; at once, while a newer one is fetched; or only after the server was asked. */
  readonly use: 'fresh' | 'while-revalidate' | 'validate';
}

/** Counters of a cache. */
export interface HTTPCacheStats {
  /** Answered without asking the server first. */
  readonly hits: number;
  /** Of the hits: stale ones, used while a newer answer was fetched. */
  readonly staleHits: number;
  readonly misses: number;
  /** Of the misses: the server said that the stored answer is still right (304). */
  readonly revalidated: number;
  /** Of the misses: the server failed, and a stale answer was allowed. */
  readonly staleOnError: number;
  readonly stored: number;
  /** Forgotten after a write. */
  readonly invalidated: number;
  /** Dropped to keep `maxBytes`. */
  readonly evicted: number;
  /** Pairs of URL and principal that are kept now. */
  readonly entries: number;
  readonly bytes: number;
}

const loadSemantics = lazy(() => import('http-cache-semantics'));

/**
 * An HTTP cache by RFC 9111, bounded in bytes: answers to GET are used again, by URL, principal and the
 * fields of `Vary`, as long as they are fresh, and after that as their validators and RFC 5861 allow.
 */
export class HTTPCache {
  readonly #settings: FreshnessSettings;
  readonly #store: AnswerStore;
  readonly #fills: Fills = new Fills();
  #hits = 0;
  #staleHits = 0;
  #misses = 0;
  #revalidated = 0;
  #staleOnError = 0;
  #stored = 0;
  #invalidated = 0;

  constructor(options: HTTPCacheOptions = {}) {
    const maxBytes = options.maxBytes ?? 50 * 1024 * 1024;
    this.#settings = options;
    this.#store = new AnswerStore({ maxBytes, maxEntryBytes: options.maxEntryBytes ?? maxBytes });
  }

  /** True when all principals share their entries. */
  get shared(): boolean {
    return this.#settings.shared ?? false;
  }

  stats(): HTTPCacheStats {
    return {
      hits: this.#hits,
      staleHits: this.#staleHits,
      misses: this.#misses,
      revalidated: this.#revalidated,
      staleOnError: this.#staleOnError,
      stored: this.#stored,
      invalidated: this.#invalidated,
      evicted: this.#store.evicted,
      entries: this.#store.size,
      bytes: this.#store.bytes,
    };
  }

  /** The stored answer for a request, and how it may be used. Counts a hit or a miss. */
  lookup(request: CacheRequest): Found | undefined {
    const found = this.#find(request, Date.now());
    if (found === undefined || found.use === 'validate') this.#misses += 1;
    else this.#hits += 1;
    if (found?.use === 'while-revalidate') this.#staleHits += 1;
    return found;
  }

  /**
   * The fresh answer under a key (see `keyOf`) for a request without directives of its own, in the
   * shortest way. Counts a hit; what it does not find is for {@link HTTPCache.lookup} to count.
   */
  fresh(key: string, headers: CacheRequest['headers'], now: number): StoredAnswer | undefined {
    for (const answer of this.#store.variants(key) ?? []) {
      if (!matches(answer, headers)) continue;
      if (!isFresh(answer, now)) return undefined;
      this.#hits += 1;
      return answer;
    }
    return undefined;
  }

  /** True when a stale answer may be used because the server failed. Counts it. */
  mayUseOnError({ freshness }: StoredAnswer, request: CacheRequest): boolean {
    const asked = Number(directivesOf(request.headers['cache-control']).get('stale-if-error') ?? 0) * 1_000;
    const until = freshness.mustRevalidate ? 0 : Math.max(freshness.ifErrorUntil, freshness.staleAt + (asked || 0));
    if (Date.now() >= until) return false;
    this.#staleOnError += 1;
    return true;
  }

  /** Begins, or joins, the filling of a URL. Pair it with {@link HTTPCache.endFill}. */
  beginFill(url: string): Fill {
    return this.#fills.begin(url);
  }

  endFill(url: string, fill: Fill): void {
    this.#fills.end(url, fill);
  }

  /**
   * Keeps an answer if RFC 9111 allows it and it can be of use, and forgets the one it stands in for, unless
   * the server only failed.
   */
  async store(
    request: CacheRequest & { readonly hasCredentials: boolean },
    answer: CacheableAnswer,
    exchanged: Exchanged,
    fill: Fill,
  ): Promise<void> {
    if (!fill.valid) return;
    const stored = await this.#toStored(request, answer, exchanged);
    if (!fill.valid) return;
    if (stored && isUseful(stored, exchanged.receivedAt)) this.#put(request, stored);
    else if (replaces(answer.status)) this.#store.remove(request);
  }

  /** The stored answer with the fields of a 304 to our own condition, or of a HEAD that agrees with it (RFC 9111 section 3.2). */
  async freshen(
    request: CacheRequest & { readonly hasCredentials: boolean },
    stored: StoredAnswer,
    update: CacheableAnswer['headers'],
    exchanged: Exchanged,
    fill: Fill,
  ): Promise<CacheableAnswer> {
    this.#revalidated += 1;
    const answer = { ...stored, headers: updatedFields(stored.headers, update) };
    await this.store(request, answer, exchanged, fill);
    return answer;
  }

  /** Forgets the answer to one request. */
  forget(request: CacheRequest): void {
    this.#store.remove(request);
  }

  /** Forgets a URL for every principal, also what is under way for it (RFC 9111 section 4.4). */
  invalidate(url: string): void {
    this.#invalidated += this.#store.removeURL(url);
    this.#fills.invalidate(url);
  }

  clear(): void {
    this.#store.clear();
  }

  #find(request: CacheRequest, now: number): Found | undefined {
    const answer = this.#store.variants(keyOf(request))?.find((variant) => matches(variant, request.headers));
    if (!answer) return undefined;
    return { answer, ageMs: ageOf(answer, now), use: this.#useOf(answer, request, now) };
  }

  #useOf({ freshness }: StoredAnswer, request: CacheRequest, now: number): Found['use'] {
    const fresh = isFresh({ freshness }, now);
    const { 'cache-control': control, pragma } = request.headers;
    if (control !== undefined || pragma !== undefined) {
      const acceptsStale = !freshness.mustRevalidate && directivesOf(control).has('max-stale');
      // The request itself may ask for something younger, or be content with something older.
      const usable = (fresh || acceptsStale) && freshness.rules.satisfiesWithoutRevalidation(plainRequest(request));
      return usable ? 'fresh' : 'validate';
    }
    if (fresh) return 'fresh';
    return now < freshness.whileRevalidateUntil ? 'while-revalidate' : 'validate';
  }

  async #toStored(
    request: CacheRequest & { readonly hasCredentials: boolean },
    { status, headers, body }: CacheableAnswer,
    exchanged: Exchanged,
  ): Promise<StoredAnswer | undefined> {
    const isPart = status === 206;
    // Part of an answer stands for the same part only.
    const vary = varyOf(isPart ? { vary: `${headers.vary ?? ''}, range` } : headers, request.headers);
    if (
      !vary ||
      (isPart && request.headers.range === undefined) ||
      directivesOf(request.headers['cache-control']).has('no-store')
    )
      return undefined;
    const { default: CachePolicy } = await loadSemantics();
    const freshness = judge(CachePolicy, request, { status, headers, body }, exchanged, this.#settings);
    if (!freshness) return undefined;
    // A copy of the body: what the socket delivered is a window on a buffer many times its size.
    // The place of `age` is kept: copies with a new value are made twenty times faster than with a new field.
    const kept = { status, headers: { ...storableFields(headers), age: '0' }, body: new Uint8Array(body), vary };
    return { ...kept, freshness, bytes: bytesOf(kept) };
  }

  #put(request: CacheRequest, answer: StoredAnswer): void {
    if (this.#store.put(request, answer)) this.#stored += 1;
  }
}

/** Before its time it is not used either: the clock went back, and nobody knows how old it is. */
function isFresh({ freshness }: Pick<StoredAnswer, 'freshness'>, now: number): boolean {
  return now < freshness.staleAt && now >= freshness.storedAt;
}

/** Fresh, or good for something when stale: successes that can be validated, or used stale. */
function isUseful({ status, headers, freshness }: StoredAnswer, now: number): boolean {
  if (freshness.staleAt > now) return true;
  if (status > 299) return false;
  const isUsedStale = Math.max(freshness.whileRevalidateUntil, freshness.ifErrorUntil) > now;
  return isUsedStale || headers.etag !== undefined || headers['last-modified'] !== undefined;
}

/** True for an answer after which the stored one is out of date, although this one is not kept. */
function replaces(status: number): boolean {
  return status < 400 || status === 404 || status === 410;
}
