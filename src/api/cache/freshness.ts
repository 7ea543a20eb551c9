import type { CacheRules, Headers } from './variant.js';

/** Directives with which a server speaks about freshness, if only to deny it. */
const speaks = /\b(?:max-age|s-maxage|no-cache|no-store|must-revalidate|proxy-revalidate)\b/i;

/**
 * How long an answer stays fresh from now, in milliseconds, by RFC 9111 section 4.2. 0 when it must not
 * be stored or is stale already.
 *
 * @param heuristicMs the lifetime when the server says nothing
 */
export function freshForMs(rules: CacheRules, status: number, headers: Headers, heuristicMs: number): number {
  if (!rules.storable()) return 0;
  const lifetimeMs = saysNothing(headers) && isPlainSuccess(status) ? heuristicMs : rules.maxAge() * 1_000;
  return Math.max(0, lifetimeMs - rules.age() * 1_000);
}

function saysNothing(headers: Headers): boolean {
  return !headers.expires && !headers.pragma && !speaks.test(headers['cache-control'] ?? '');
}

function isPlainSuccess(status: number): boolean {
  return status === 200 || status === 203 || status === 204;
}
