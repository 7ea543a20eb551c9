import { is, type OptionChecks } from '../../core/internal.js';

/** Bounds of the cache, and what it assumes. */
export interface HTTPCacheOptions {
  /**
   * Bytes of all answers kept: bodies, headers, and by estimate the data decoded from them. The least recently
   * used go first. @default 52428800 (50 MiB)
   */
  readonly maxBytes?: number;
  /** An answer larger than this, counted in the same way, is not kept. @default maxBytes */
  readonly maxEntryBytes?: number;
  /**
   * How long a successful answer is taken for fresh when the server says nothing about it (RFC 9111
   * section 4.2.2), in milliseconds. 0 keeps for fresh only what the server calls so.
   * @default a tenth of the time since `Last-Modified`, at most a day; 300000 in the positional form
   */
  readonly heuristicMs?: number;
  /**
   * One cache for all credentials, by the rules for shared caches: `private` is not kept, `s-maxage` counts,
   * and an answer to a request with credentials is kept only when the server says `public`, `s-maxage`
   * or `must-revalidate` (RFC 9111 section 3.5). @default false: entries of different credentials never meet
   */
  readonly shared?: boolean;
  /**
   * How long after its end an answer may still be used while a newer one is fetched, where the server says
   * nothing (`stale-while-revalidate`, RFC 5861), in milliseconds. @default 0
   */
  readonly staleWhileRevalidateMs?: number;
  /**
   * How long after its end an answer may still be used when the server fails or cannot be reached, where
   * it says nothing (`stale-if-error`, RFC 5861), in milliseconds. @default 0
   */
  readonly staleIfErrorMs?: number;
}

export const cacheChecks: OptionChecks<HTTPCacheOptions> = {
  maxBytes: is.count,
  maxEntryBytes: is.count,
  heuristicMs: is.countOrZero,
  shared: is.flag,
  staleWhileRevalidateMs: is.countOrZero,
  staleIfErrorMs: is.countOrZero,
};
