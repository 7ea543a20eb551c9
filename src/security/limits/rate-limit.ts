import type { CallOptions } from '../../core/index.js';
import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is, type OptionCheck, type OptionChecks } from '../../core/internal.js';

/** How much in which time. */
export interface RateQuota {
  /** Units in any interval, wherever it begins. A whole number. */
  readonly limit: number;
  /** The interval in milliseconds. */
  readonly intervalMs: number;
}

/** Quotas: the one of every key, and those of routes that count for themselves. */
export interface RateQuotas extends RateQuota {
  /** Names the quota in headers and keys: letters, digits, `.`, `_` and `-`. @default 'default' */
  readonly name?: string;
  /** Quotas of their own by route: `{ login: { limit: 5, intervalMs: 60_000 } }`. */
  readonly routes?: Readonly<Record<string, RateQuota>>;
}

/** Settings of {@link RateLimiter.consume}. */
export interface LimitConsumeOptions extends CallOptions {
  /** Units to take. @default 1 */
  readonly cost?: number;
  /** One of `routes`. @default the limiter's own quota */
  readonly route?: string;
}

/**
 * Who decided: `memory` or `redis` by the count; or while Redis is away `insurance` by this process' own count,
 * `open` or `closed` by what was declared, with no count at all.
 */
export type RateLimitSource = 'memory' | 'redis' | 'insurance' | 'open' | 'closed';

/** What a limiter says to one call. */
export interface RateLimitResult {
  readonly allowed: boolean;
  readonly limit: number;
  /** Units left now. */
  readonly remaining: number;
  /** 0 when it was allowed, else the least time to wait, in milliseconds. */
  readonly retryAfterMs: number;
  /** Milliseconds until the whole quota is there again, if nothing more is taken. */
  readonly resetMs: number;
  readonly source: RateLimitSource;
  /** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and `Retry-After` when refused. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Counts, and says at once whether a call may go on. It never waits for a turn. */
export interface RateLimiter {
  /** Takes units if they are there; nothing of them otherwise. */
  consume(key: string, options?: LimitConsumeOptions): Promise<RateLimitResult>;
  /** Takes units even where there are none: what follows waits longer. */
  penalty(key: string, units: number, options?: Omit<LimitConsumeOptions, 'cost'>): Promise<RateLimitResult>;
  /** Refuses everything of this key for a time. */
  block(key: string, durationMs: number, options?: Omit<LimitConsumeOptions, 'cost'>): Promise<void>;
  /** Forgets what was counted and blocked. */
  reset(key: string, options?: Omit<LimitConsumeOptions, 'cost'>): Promise<void>;
}

/** What a count is told by. */
export interface Count {
  readonly allowed: boolean;
  readonly used: number;
  readonly retryAfterMs: number;
  readonly resetMs: number;
}

/** One checked call. */
export interface QuotaCall extends RateQuota {
  /** The key with its quota: no two quotas share one. */
  readonly id: string;
  readonly name: string;
  readonly cost: number;
}

/** Parts an interval is counted in: 1/60 of a quota may go unused under steady demand. */
export const slotsPerInterval = 60;

const finite =
  (check: OptionCheck): OptionCheck =>
  (value, field) => {
    check(value, field);
    if (value === Number.POSITIVE_INFINITY) throw new ConfigurationError(`${field} must be finite`, { field });
  };
const quotaChecks: OptionChecks<RateQuota> = {
  limit: is.required(finite(is.count)),
  intervalMs: is.required(finite(is.milliseconds)),
};
const label = /^[\w.-]{1,64}$/;
const nameCheck: OptionCheck = (value, field) => {
  if (typeof value !== 'string' || !label.test(value))
    throw new ConfigurationError(`${field} must be 1 to 64 letters, digits, ".", "_" and "-"`, { field });
};

/** Checks of {@link RateQuotas}. */
export const rateQuotasChecks: OptionChecks<RateQuotas> = {
  ...quotaChecks,
  name: nameCheck,
  routes: (value, field) => {
    is.object(value, field);
    for (const [route, quota] of Object.entries(value as Record<string, RateQuota>)) {
      nameCheck(route, `${field}: name`);
      checkOptions(`${field}.${route}`, quota, quotaChecks);
    }
  },
};

/** @throws ConfigurationError for a key that is no text, an unknown route, or a cost that can never be granted */
export function quotaCall(
  quotas: RateQuotas,
  key: string,
  options: LimitConsumeOptions,
  most: number = Infinity,
): QuotaCall {
  is.text(key, 'key');
  if (key.length > 512) throw new ConfigurationError('key must have at most 512 characters', { field: 'key' });
  const { route, cost = 1 } = options;
  const own = route === undefined ? quotas : Object.hasOwn(quotas.routes ?? {}, route) && quotas.routes?.[route];
  if (!own) throw new ConfigurationError(`route '${route}' is not one of routes`, { field: 'route' });
  if (!Number.isSafeInteger(cost) || cost < 0 || cost > Math.min(own.limit, most))
    throw new ConfigurationError(`cost must be a whole number from 0 to the limit of ${own.limit}, got ${cost}`, {
      field: 'cost',
    });
  const name = route ?? quotas.name ?? 'default';
  // The length keeps names and keys apart that read alike together.
  return { id: `${name.length}:${name}:${key}`, name, limit: own.limit, intervalMs: own.intervalMs, cost };
}

/** The result of a count, with its headers. */
export function rateLimitResult(call: QuotaCall, count: Count, source: RateLimitSource): RateLimitResult {
  const { limit, intervalMs, name } = call;
  const remaining = count.allowed
    ? Math.max(0, limit - count.used)
    : Math.max(0, Math.min(limit - count.used, call.cost - 1));
  const resetMs = Math.max(0, Math.ceil(count.resetMs));
  const retryAfterMs = count.allowed ? 0 : Math.max(1, Math.ceil(count.retryAfterMs));
  const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));
  const left = count.allowed ? (resetMs === 0 ? 0 : seconds(resetMs)) : seconds(retryAfterMs);
  const headers = {
    'RateLimit-Policy': `"${name}";q=${limit};w=${seconds(intervalMs)}`,
    RateLimit: `"${name}";r=${count.allowed ? remaining : 0};t=${left}`,
    ...(!count.allowed && { 'Retry-After': String(seconds(retryAfterMs)) }),
  };
  return { allowed: count.allowed, limit, remaining, retryAfterMs, resetMs, source, headers };
}
