import { type Directives, directivesOf, largestSeconds, secondsOf } from './cache-control.js';
import type { HTTPCacheOptions } from './cache-options.js';
import type { CacheableAnswer, CacheRequest, CacheRules, Freshness, Headers } from './stored-answer.js';

type CachePolicy = new (
  request: { url: string; method: string; headers: Record<string, string> },
  response: { status: number; headers: Record<string, string> },
  options: { shared: boolean; cacheHeuristic: number },
) => CacheRules;

/** How answers are judged. */
export interface FreshnessSettings
  extends Pick<HTTPCacheOptions, 'heuristicMs' | 'shared' | 'staleWhileRevalidateMs' | 'staleIfErrorMs'> {}

/** When a request went out and its answer came, in milliseconds since the epoch. */
export interface Exchanged {
  readonly requestedAt: number;
  readonly receivedAt: number;
}

/** Statuses that may be kept although the server says nothing about it (RFC 9110 section 15.1). */
const heuristicallyCacheable: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
]);
/**
 * Never kept, whatever the server says: what a retry may mend, what asks for other credentials, and what
 * is no answer by itself.
 */
const neverKept: ReadonlySet<number> = new Set([304, 401, 407, 408, 425, 429, 500, 502, 503, 504]);
/** Directives with which a server speaks about freshness, if only to deny it. */
const aboutFreshness = ['max-age', 's-maxage', 'no-cache', 'no-store', 'must-revalidate', 'proxy-revalidate'];
/** Those that http-cache-semantics is told of. It reads names with case, and cuts quoted texts at commas. */
const flags = ['no-cache', 'no-store', 'private', 'public'];
/** Directives of a request that it is told of. */
const asked = ['max-age', 'max-stale', 'min-fresh', 'no-cache'];
const dayMs = 86_400_000;

/**
 * Judges an answer by RFC 9111 sections 3, 4.2 and 5.2: undefined when it must not be stored.
 *
 * http-cache-semantics decides what may be stored and for how long, on fields in their plain form: it
 * takes `Age: abc` for 0, `max-age=1.5` for 1 and `NO-STORE` for an unknown word. Ours are the
 * apparent age (section 4.2.3), the statuses, credentials, and the windows of RFC 5861.
 */
export function judge(
  Policy: CachePolicy,
  request: CacheRequest & { readonly hasCredentials: boolean },
  { status, headers }: CacheableAnswer,
  { requestedAt, receivedAt }: Exchanged,
  settings: FreshnessSettings,
): Freshness | undefined {
  const shared = settings.shared ?? false;
  const directives = directivesOf(headers['cache-control']);
  if (!isKeepable(status, directives, headers)) return undefined;
  if (shared && request.hasCredentials && !isForAll(directives)) return undefined;
  const initialAgeMs = initialAge(headers, requestedAt, receivedAt);
  // A cookie is for one client: shared, it is kept only for as long as the server says (RFC 9111 section 7.3).
  const mayGuess = saysNothing(directives, headers) && !(shared && 'set-cookie' in headers);
  const assumedMs = mayGuess ? assumedLifetime(status, settings.heuristicMs, initialAgeMs) : undefined;
  const fields = plainFields(headers, directives, initialAgeMs, assumedMs);
  const response = { status: 200, headers: fields };
  const rules = new Policy(plainRequest(request), response, { shared, cacheHeuristic: mayGuess ? 0.1 : 0 });
  if (!rules.storable()) return undefined;
  const lifetimeMs = assumedMs ?? Math.min(rules.maxAge() * 1_000, mayGuess ? dayMs : Number.POSITIVE_INFINITY);
  const staleAt = receivedAt + lifetimeMs - initialAgeMs;
  const mustRevalidate = ['must-revalidate', 'no-cache', ...(shared ? ['proxy-revalidate', 's-maxage'] : [])].some(
    (name) => directives.has(name),
  );
  const until = (name: string, otherwiseMs = 0): number =>
    mustRevalidate ? 0 : staleAt + msOf(directives, name, otherwiseMs);
  return {
    rules,
    storedAt: receivedAt,
    initialAgeMs,
    staleAt,
    mustRevalidate,
    whileRevalidateUntil: until('stale-while-revalidate', settings.staleWhileRevalidateMs),
    ifErrorUntil: until('stale-if-error', settings.staleIfErrorMs),
  };
}

/** What http-cache-semantics has to know of a request: its directives. Vary and credentials are matched by us. */
export function plainRequest({ url, headers }: CacheRequest): {
  url: string;
  method: string;
  headers: Record<string, string>;
} {
  const { 'cache-control': control, pragma } = headers;
  const directives = [...directivesOf(control)]
    .filter(([name]) => asked.includes(name))
    .map(([name, value]) => (value === true ? name : `${name}=${value}`));
  return {
    url,
    method: 'GET',
    headers: {
      ...(control !== undefined && { 'cache-control': directives.join(', ') }),
      // RFC 9111 section 5.4: it only counts alone.
      ...(control === undefined && pragma !== undefined && { pragma: pragma.toLowerCase() }),
    },
  };
}

function isKeepable(status: number, directives: Directives, headers: Headers): boolean {
  if (neverKept.has(status) || status < 200) return false;
  if (heuristicallyCacheable.has(status)) return true;
  // RFC 9111 section 5.2.2.3: this one is for caches that know what the status means.
  if (directives.has('must-understand')) return false;
  return directives.has('public') || directives.has('max-age') || directives.has('s-maxage') || 'expires' in headers;
}

/** RFC 9111 section 3.5. */
function isForAll(directives: Directives): boolean {
  return directives.has('public') || directives.has('s-maxage') || directives.has('must-revalidate');
}

function saysNothing(directives: Directives, headers: Headers): boolean {
  return !headers.expires && !headers.pragma && !aboutFreshness.some((name) => directives.has(name));
}

/** The fields that decide, in a form that leaves nothing to read wrong. */
function plainFields(
  headers: Headers,
  directives: Directives,
  ageMs: number,
  assumedMs: number | undefined,
): Record<string, string> {
  const control = flags.filter((name) => directives.has(name));
  for (const name of ['max-age', 's-maxage']) {
    const seconds = secondsOf(directives, name);
    if (seconds !== undefined) control.push(`${name}=${seconds}`);
  }
  if (assumedMs !== undefined) control.push(`max-age=${Math.ceil(assumedMs / 1_000)}`);
  const { expires, pragma, date, 'last-modified': lastModified } = headers;
  return {
    age: String(Math.ceil(ageMs / 1_000)),
    // Absent, it leaves the word to `pragma`.
    ...((control.length > 0 || 'cache-control' in headers) && { 'cache-control': control.join(', ') }),
    ...(expires !== undefined && { expires }),
    ...(pragma !== undefined && { pragma: pragma.toLowerCase() }),
    ...(date !== undefined && { date }),
    ...(lastModified !== undefined && { 'last-modified': lastModified }),
  };
}

/**
 * The lifetime of an answer about which nothing is said, where it is configured: from when it came, since nobody
 * has said from when else. Failures are not guessed to last.
 */
function assumedLifetime(status: number, heuristicMs: number | undefined, initialAgeMs: number): number | undefined {
  if (heuristicMs === undefined) return undefined;
  return status <= 299 ? heuristicMs + initialAgeMs : 0;
}

/**
 * How old the answer was when it came (RFC 9111 section 4.2.3). `Date` has whole seconds: what may be
 * its rounding is not counted. An `Age` that cannot be read makes the answer stale.
 */
function initialAge(headers: Headers, requestedAt: number, receivedAt: number): number {
  const date = Date.parse(headers.date ?? '');
  const apparentMs = Number.isNaN(date) ? 0 : Math.max(0, receivedAt - date - 1_000);
  const { age = '0' } = headers;
  const seconds = /^\d+$/.test(age) ? Math.min(Number(age), largestSeconds) : largestSeconds;
  return Math.max(apparentMs, seconds * 1_000 + receivedAt - requestedAt);
}

function msOf(directives: Directives, name: string, otherwiseMs: number): number {
  const seconds = secondsOf(directives, name);
  return seconds === undefined ? otherwiseMs : seconds * 1_000;
}
