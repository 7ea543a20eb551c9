import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import {
  type LimitConsumeOptions,
  type QuotaCall,
  quotaCall,
  type RateLimiter,
  type RateLimitResult,
  type RateQuotas,
  rateLimitResult,
  rateQuotasChecks,
} from './rate-limit.js';
import { WindowCounter } from './window-counter.js';

/** Settings of {@link MemoryLimiter}. */
export interface MemoryLimiterOptions extends RateQuotas {
  /** Keys that are counted. The one that was asked for longest ago is forgotten for a new one. @default 100000 */
  readonly maxKeys?: number;
  /** @default the system's */
  readonly clock?: Clock;
}

const optionChecks: OptionChecks<MemoryLimiterOptions> = { ...rateQuotasChecks, maxKeys: is.count, clock: is.object };

/**
 * Counts calls in this process by a strict sliding window: at most `limit` in any interval, wherever it begins.
 *
 * @throws ConfigurationError
 * @example
 * const limiter = new MemoryLimiter({ limit: 100, intervalMs: 60_000, routes: { login: { limit: 5, intervalMs: 60_000 } } });
 * const { allowed, headers } = await limiter.consume(address, { route: 'login' });
 */
export class MemoryLimiter implements RateLimiter {
  readonly #quotas: RateQuotas;
  readonly #counters: LRUCache<string, WindowCounter>;
  readonly #clock: Clock;

  constructor(options: MemoryLimiterOptions) {
    checkOptions('MemoryLimiter', options, optionChecks);
    const { maxKeys = 100_000, clock = systemClock, ...quotas } = options;
    this.#quotas = Object.freeze(quotas);
    this.#counters = new LRUCache({ max: maxKeys });
    this.#clock = clock;
  }

  async consume(key: string, options: LimitConsumeOptions = {}): Promise<RateLimitResult> {
    options.signal?.throwIfAborted();
    const call = quotaCall(this.#quotas, key, options);
    return rateLimitResult(call, this.#counter(call).take(call.cost, this.#clock.now()), 'memory');
  }

  async penalty(key: string, units: number, options: Omit<LimitConsumeOptions, 'cost'> = {}): Promise<RateLimitResult> {
    is.count(units, 'units');
    const call = { ...quotaCall(this.#quotas, key, options), cost: units };
    return rateLimitResult(call, this.#counter(call).take(units, this.#clock.now(), true), 'memory');
  }

  async block(key: string, durationMs: number, options: Omit<LimitConsumeOptions, 'cost'> = {}): Promise<void> {
    is.milliseconds(durationMs, 'durationMs');
    this.#counter(quotaCall(this.#quotas, key, options)).block(this.#clock.now() + durationMs);
  }

  async reset(key: string, options: Omit<LimitConsumeOptions, 'cost'> = {}): Promise<void> {
    this.#counters.delete(quotaCall(this.#quotas, key, options).id);
  }

  #counter(call: QuotaCall): WindowCounter {
    let counter = this.#counters.get(call.id);
    if (!counter) {
      counter = new WindowCounter(call);
      this.#counters.set(call.id, counter);
    }
    return counter;
  }
}
