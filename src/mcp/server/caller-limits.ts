import { systemClock } from '../../core/index.js';
import { checkOptions, is, type OptionCheck } from '../../core/internal.js';
import { rpcFailure } from './rpc-failure.js';

/** Counts requests by caller, as `MemoryLimiter` and `RedisLimiter` do. */
export interface CallerLimiter {
  consume(key: string): Promise<{ readonly allowed: boolean; readonly retryAfterMs?: number }>;
}

/** A limit that this process keeps by itself. */
export interface CallerQuota {
  /** Requests per interval, and the largest burst. */
  readonly limit: number;
  readonly intervalMs: number;
}

/** Accepts a {@link CallerLimiter}, a {@link CallerQuota} or `false`. */
export const callerLimit: OptionCheck = (value, field) => {
  if (value === false || typeof (value as Partial<CallerLimiter> | null)?.consume === 'function') return;
  checkOptions<CallerQuota>(field, value as CallerQuota, {
    limit: is.required(is.count),
    intervalMs: is.required(is.milliseconds),
  });
};

/** Callers that are remembered; the one that was quiet for longest starts afresh. */
const maxCallers = 10_000;

/** A token bucket for each caller. */
export class CallerBuckets implements CallerLimiter {
  readonly #quota: CallerQuota;
  readonly #buckets: Map<string, { tokens: number; at: number }> = new Map();

  constructor(quota: CallerQuota) {
    this.#quota = quota;
  }

  async consume(key: string): Promise<{ readonly allowed: boolean; readonly retryAfterMs: number }> {
    const { limit, intervalMs } = this.#quota;
    const now = systemClock.now();
    const last = this.#buckets.get(key);
    const tokens = Math.min(limit, last ? last.tokens + ((now - last.at) / intervalMs) * limit : limit);
    const allowed = tokens >= 1;
    const left = allowed ? tokens - 1 : tokens;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: left, at: now });
    if (this.#buckets.size > maxCallers) this.#buckets.delete(this.#buckets.keys().next().value ?? key);
    return { allowed, retryAfterMs: allowed ? 0 : Math.ceil(((1 - left) / limit) * intervalMs) };
  }
}

/** @returns the refusal (429), or undefined when the request may go on. A limiter that fails lets it go on. */
export async function refuseExcess(
  limiter: CallerLimiter,
  key: string,
  onFailure: (error: unknown) => void,
): Promise<Response | undefined> {
  try {
    const { allowed, retryAfterMs = 1_000 } = await limiter.consume(key);
    if (allowed) return undefined;
    return rpcFailure(429, 'Too many requests', {
      'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))),
    });
  } catch (error) {
    onFailure(error);
    return undefined;
  }
}
