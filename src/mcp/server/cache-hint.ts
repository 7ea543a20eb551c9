import { checkOptions, is, type OptionCheck } from '../../core/internal.js';

/** How long a client may keep an answer, and for whom (2026-07-28, "Caching"). */
export interface CacheHint {
  /** In milliseconds; 0 for not at all. */
  readonly ttlMs: number;
  /** `public` when every caller gets the same answer. @default 'private' */
  readonly scope?: 'public' | 'private';
}

/** The methods whose answers the server's own hint is about. */
const listMethods = ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list', 'server/discover'];

/** Refuses what is no {@link CacheHint}. */
export const cacheHint: OptionCheck = (value, field) =>
  checkOptions<CacheHint>(field, value as CacheHint, {
    ttlMs: is.required(is.countOrZero),
    scope: is.oneOf('public', 'private'),
  });

/** A hint as the protocol writes it. */
export function toWireHint({ ttlMs, scope = 'private' }: CacheHint): { ttlMs: number; cacheScope: string } {
  return { ttlMs, cacheScope: scope };
}

/** The SDK's `cacheHints`: one hint for all lists. */
export function toListHints(hint: CacheHint): object {
  return Object.fromEntries(listMethods.map((method) => [method, toWireHint(hint)]));
}
