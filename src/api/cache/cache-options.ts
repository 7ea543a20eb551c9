import { is, type OptionChecks } from '../../core/internal.js';

/** Bounds of the cache, and what it assumes. */
export interface HTTPCacheOptions {
  /** Bytes of all answers kept, their headers included; the least recently used go first. @default 52428800 (50 MiB) */
  readonly maxBytes?: number;
  /** An answer larger than this is not kept. @default maxBytes */
  readonly maxEntryBytes?: number;
  /**
   * How long a successful answer is taken for fresh when the server says nothing about it (RFC 9111
   * section 4.2.2), in milliseconds. 0 keeps only what the server allows. @default 0, and 300000 in the positional form
   */
  readonly heuristicMs?: number;
}

export const cacheChecks: OptionChecks<HTTPCacheOptions> = {
  maxBytes: is.count,
  maxEntryBytes: is.count,
  heuristicMs: is.countOrZero,
};
