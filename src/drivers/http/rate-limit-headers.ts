import type { BareItem, List, Parameters } from 'structured-headers';
import { lazy } from '../../core/internal.js';

/** What a server says is left of a quota. */
export interface Quota {
  /** Requests it will still answer. */
  readonly remaining: number;
  /** Until there are more, in milliseconds from now. */
  readonly resetMs: number;
}

type Headers = Readonly<Record<string, string>>;
type StructuredHeaders = typeof import('structured-headers');

const loadStructuredHeaders = lazy(() => import('structured-headers'));
let structuredHeaders: StructuredHeaders | undefined;

/** Seconds since the epoch are larger than any number of seconds that a quota takes to come back. */
const leastEpochSeconds = 1_000_000_000;
const leastEpochMs = leastEpochSeconds * 1_000;

/** The names of what is left and of when more comes, as APIs have them, the older the further down. */
const pairs: readonly (readonly [remaining: string, ...resets: string[]])[] = [
  ['ratelimit-remaining', 'ratelimit-reset'],
  ['x-ratelimit-remaining', 'x-ratelimit-reset-after', 'x-ratelimit-reset'],
  ['x-rate-limit-remaining', 'x-rate-limit-reset'],
  ['x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  ['x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
];

/**
 * The quota that binds first, by the headers of an answer; undefined when they name none.
 *
 * `RateLimit` and `RateLimit-Policy` are read as draft-ietf-httpapi-ratelimit-headers-11 writes them
 * (`"default";r=50;t=30`) and as drafts 7 to 9 did (`limit=100, remaining=50, reset=30`); beside them the
 * pairs that came before: `RateLimit-Remaining`, `X-RateLimit-Remaining` and their kin, whose reset is in
 * seconds from now, seconds or milliseconds since the epoch, a duration (`6m0s`) or a date. What is not
 * understood is left out.
 */
export function readQuota(headers: Headers, now: number = Date.now()): Quota | undefined | Promise<Quota | undefined> {
  const { ratelimit } = headers;
  if (ratelimit === undefined) return tightest(pairQuotas(headers, now));
  if (structuredHeaders) return tightest(structuredQuotas(ratelimit, headers, structuredHeaders));
  return loadStructuredHeaders().then((loaded) => {
    structuredHeaders = loaded;
    return tightest(structuredQuotas(ratelimit, headers, loaded));
  });
}

function pairQuotas(headers: Headers, now: number): Quota[] {
  const quotas: Quota[] = [];
  for (const [name, ...resets] of pairs) {
    const remaining = numberOf(headers[name]);
    if (remaining === undefined) continue;
    const resetMs = resets.map((reset) => untilReset(headers[reset], now)).find((ms) => ms !== undefined);
    if (resetMs !== undefined) quotas.push({ remaining, resetMs });
  }
  return quotas;
}

function structuredQuotas(field: string, headers: Headers, { parseList, parseDictionary }: StructuredHeaders): Quota[] {
  const dictionary = attempt(() => parseDictionary(field));
  if (dictionary?.has('remaining')) {
    const [remaining, reset] = [dictionary.get('remaining')?.[0], dictionary.get('reset')?.[0]];
    return typeof remaining === 'number' && typeof reset === 'number' ? [{ remaining, resetMs: reset * 1_000 }] : [];
  }
  const windows = new Map(members(attempt(() => parseList(headers['ratelimit-policy'] ?? ''))));
  return members(attempt(() => parseList(field))).flatMap(([name, parameters]) => {
    const remaining = parameters.get('r');
    // Without the time that is left of it, the window itself is the longest it can be.
    const seconds = parameters.get('t') ?? windows.get(name)?.get('w');
    return typeof remaining === 'number' && typeof seconds === 'number'
      ? [{ remaining, resetMs: seconds * 1_000 }]
      : [];
  });
}

function members(list: List | undefined): (readonly [name: BareItem, parameters: Parameters])[] {
  return (list ?? []).flatMap(([name, parameters]) => (Array.isArray(name) ? [] : [[name, parameters] as const]));
}

/** Of those that are used up, the one that takes longest to come back; else the one with the least left. */
function tightest(quotas: readonly Quota[]): Quota | undefined {
  return quotas.reduce<Quota | undefined>((tight, quota) => {
    if (!tight) return quota;
    if (quota.remaining <= 0 && tight.remaining <= 0) return quota.resetMs > tight.resetMs ? quota : tight;
    return quota.remaining < tight.remaining ? quota : tight;
  }, undefined);
}

function untilReset(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = numberOf(value);
  if (seconds === undefined) return durationMs(value) ?? dateMs(value, now);
  if (seconds >= leastEpochMs) return Math.max(0, seconds - now);
  return seconds >= leastEpochSeconds ? Math.max(0, seconds * 1_000 - now) : seconds * 1_000;
}

function numberOf(value: string | undefined): number | undefined {
  const text = value?.trim();
  return text !== undefined && /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** `6m0s`, `1.5s`, `20ms`, as Go writes durations. */
function durationMs(value: string): number | undefined {
  const text = value.trim();
  if (!/^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|[dhms]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit = ''] of text.matchAll(/([\d.]+)(ms|[dhms])/g))
    total += Number(amount) * (unitMs[unit] ?? 0);
  return total;
}

function dateMs(value: string, now: number): number | undefined {
  const time = /^[A-Z][a-z]{2},|^\d{4}-\d{2}-\d{2}T/.test(value.trim()) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
