import {
  type CallOptions,
  CallScope,
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  detach,
  type Health,
  type HealthCheck,
  Lifecycle,
} from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import {
  type RedisClient,
  RedisConnection,
  type RedisScript,
  redisClientCheck,
  redisFailure,
} from '../../drivers/redis/index.js';
import { redisHealth } from '../redis-health.js';
import { MemoryLimiter } from './memory-limiter.js';
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
import { blockScript, resetScript, takeScript } from './rate-scripts.js';

/** Settings of {@link RedisLimiter}. Give `client` or `url`. */
export interface RedisLimiterOptions extends RateQuotas {
  /** A ready ioredis client, Redis or Cluster. The caller owns it. */
  readonly client?: RedisClient;
  /** `redis:` or `rediss:`. The connection is ours, opened on first use. */
  readonly url?: string;
  /**
   * What happens while Redis cannot be asked: `insure` counts in this process, by the same quotas; `open` lets
   * everything through; `closed` nothing. `source` says so in every result. @default 'insure'
   */
  readonly outage?: 'insure' | 'open' | 'closed';
  /** Begins every key. @default 'safla:rate' */
  readonly prefix?: string;
  /** How long Redis may take to answer before it counts as away, in milliseconds. @default 500 */
  readonly commandTimeoutMs?: number;
  /** How often Redis is tried again while it is away, in milliseconds. No call waits for that. @default 1000 */
  readonly probeMs?: number;
}

const optionChecks: OptionChecks<RedisLimiterOptions> = {
  ...rateQuotasChecks,
  client: redisClientCheck,
  url: is.url('redis:', 'rediss:'),
  outage: is.oneOf('insure', 'open', 'closed'),
  prefix: is.text,
  commandTimeoutMs: is.milliseconds,
  probeMs: is.milliseconds,
};

/**
 * Counts calls of all processes on one Redis by a strict sliding window, on the clock of the server: at most
 * `limit` in any interval, wherever it begins. While Redis is away the declared policy decides at once, and never
 * says that a limit was reached which nobody counted.
 *
 * @throws ConfigurationError
 * @example
 * await using limiter = new RedisLimiter({ url: env.REDIS_URL, limit: 100, intervalMs: 60_000, outage: 'insure' });
 * const { allowed, headers, source } = await limiter.consume(user.id, { cost: 5 });
 */
export class RedisLimiter implements RateLimiter, Closeable, HealthCheck {
  readonly name: string = 'RedisLimiter';
  readonly #quotas: RateQuotas;
  readonly #connection: RedisConnection;
  readonly #insurance: MemoryLimiter;
  readonly #lifecycle: Lifecycle = new Lifecycle('RedisLimiter');
  readonly #outage: 'insure' | 'open' | 'closed';
  readonly #prefix: string;
  readonly #timeoutMs: number;
  readonly #probeMs: number;
  /** When Redis was found away, and when it is tried next. */
  #away: { nextProbeMs: number } | undefined;
  #wasReady = false;

  constructor(options: RedisLimiterOptions) {
    checkOptions('RedisLimiter', options, optionChecks);
    const { client, url, outage, prefix, commandTimeoutMs, probeMs, ...quotas } = options;
    if ((client === undefined) === (url === undefined))
      throw new ConfigurationError('RedisLimiter.client or RedisLimiter.url must be given, and not both', {
        field: 'RedisLimiter.client',
      });
    this.#quotas = Object.freeze(quotas);
    this.#outage = outage ?? 'insure';
    this.#prefix = prefix ?? 'safla:rate';
    this.#timeoutMs = commandTimeoutMs ?? 500;
    this.#probeMs = probeMs ?? 1_000;
    this.#connection = new RedisConnection({ client, url }, this.#timeoutMs);
    this.#insurance = new MemoryLimiter(quotas);
  }

  /** @throws ClosedError; ConfigurationError for a key that is no text, an unknown route, or an impossible cost */
  async consume(key: string, options: LimitConsumeOptions = {}): Promise<RateLimitResult> {
    const call = quotaCall(this.#quotas, key, options);
    return this.#take(call, options, 0, () => this.#insurance.consume(key, options));
  }

  async penalty(key: string, units: number, options: Omit<LimitConsumeOptions, 'cost'> = {}): Promise<RateLimitResult> {
    is.count(units, 'units');
    const call = { ...quotaCall(this.#quotas, key, options), cost: units };
    return this.#take(call, options, 1, () => this.#insurance.penalty(key, units, options));
  }

  /** Also in this process alone, where the insurance decides. @throws ConnectionError TimeoutError when Redis cannot be told */
  async block(key: string, durationMs: number, options: Omit<LimitConsumeOptions, 'cost'> = {}): Promise<void> {
    const call = quotaCall(this.#quotas, key, options);
    await this.#insurance.block(key, durationMs, options);
    await this.#tell(blockScript, call, [Math.ceil(durationMs)], options);
  }

  /** @throws ConnectionError TimeoutError when Redis cannot be told */
  async reset(key: string, options: Omit<LimitConsumeOptions, 'cost'> = {}): Promise<void> {
    await this.#insurance.reset(key, options);
    await this.#tell(resetScript, quotaCall(this.#quotas, key, options), [], options);
  }

  /** Asks Redis now. While it is away: `fail` where `outage` is `closed`, else `warn`, with what happens meanwhile. */
  async health(options: CallOptions = {}): Promise<Health> {
    const health = await redisHealth(this.#connection, this.#lifecycle, this.#timeoutMs, options);
    if (health.status === 'pass' || this.#outage === 'closed' || this.#lifecycle.closed) return health;
    const meanwhile = this.#outage === 'open' ? 'everything is let through' : 'this process counts for itself';
    return { ...health, status: 'warn', output: `${health.output}; meanwhile ${meanwhile}` };
  }

  /** Lets running calls finish until the deadline, then closes the connection if it is ours. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => this.#connection.disconnect());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #take(
    call: QuotaCall,
    options: LimitConsumeOptions,
    force: 0 | 1,
    insure: () => Promise<RateLimitResult>,
  ): Promise<RateLimitResult> {
    this.#lifecycle.assertOpen();
    options.signal?.throwIfAborted();
    if (!(await this.#isAway())) {
      try {
        const answer = await this.#run(takeScript, call, [call.cost, call.limit, call.intervalMs, force], options);
        const [allowed = 0, used = 0, retryAfterMs = 0, resetMs = 0] = answer as number[];
        return rateLimitResult(call, { allowed: allowed === 1, used, retryAfterMs, resetMs }, 'redis');
      } catch (error) {
        // The caller left, or we are closed: that says nothing about Redis.
        options.signal?.throwIfAborted();
        this.#lifecycle.assertOpen();
        // So does a caller's own time that is over; what Redis itself refuses is an outage like any other.
        if (!(error instanceof Unanswered)) throw error;
        this.#away ??= { nextProbeMs: Date.now() + this.#probeMs };
      }
    }
    if (this.#outage === 'insure') return { ...(await insure()), source: 'insurance' };
    const allowed = this.#outage === 'open';
    const count = { allowed, used: allowed ? 0 : call.limit, retryAfterMs: this.#probeMs, resetMs: 0 };
    return rateLimitResult(call, count, this.#outage);
  }

  /** Known at once: from what went wrong last, or from the client, which says that its connection broke. */
  async #isAway(): Promise<boolean> {
    const { status } = (await this.#connection.client()) as { readonly status?: unknown };
    if (status === 'ready') this.#wasReady = true;
    // The first connection is waited for; one that was lost is not.
    else if (typeof status === 'string' && this.#wasReady) this.#away ??= { nextProbeMs: 0 };
    if (!this.#away) return false;
    const now = Date.now();
    if (now >= this.#away.nextProbeMs && (status === 'ready' || typeof status !== 'string')) {
      this.#away.nextProbeMs = now + this.#probeMs;
      detach(() => this.#probe());
    }
    return true;
  }

  #probe(): void {
    this.#connection.command('PING').then(
      () => {
        this.#away = undefined;
      },
      () => undefined,
    );
  }

  async #tell(
    script: RedisScript,
    call: QuotaCall,
    args: readonly number[],
    options: LimitConsumeOptions,
  ): Promise<void> {
    try {
      await this.#run(script, call, args, options);
    } catch (error) {
      throw error instanceof Unanswered ? error.cause : error;
    }
  }

  async #run(
    script: RedisScript,
    call: QuotaCall,
    args: readonly number[],
    options: LimitConsumeOptions,
  ): Promise<unknown> {
    const { signal, timeoutMs } = options;
    const given = { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
    return this.#lifecycle.call('rate limit', given, async (scope) => {
      using limited = new CallScope('rate limit on Redis', { timeoutMs: this.#timeoutMs, parents: [scope] });
      const asking = this.#connection.run(script, [`${this.#prefix}:${call.id}`], args);
      try {
        return await limited.run(() => asking);
      } catch (error) {
        asking.catch(() => undefined);
        scope.throwIfCancelled();
        throw new Unanswered('Redis was not able to answer', { cause: redisFailure('rate limit', error) });
      }
    });
  }
}

/** Redis did not say. Never leaves this file. */
class Unanswered extends Error {}
