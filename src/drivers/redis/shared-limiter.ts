import { performance } from 'node:perf_hooks';
import type { RateLimiterRedis } from 'rate-limiter-flexible';
import {
  CallScope,
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  ConnectionError,
  Lifecycle,
  RateLimitError,
  redactText,
  SaflaError,
} from '../../core/index.js';
import { checkOptions, is, lazy, type OptionChecks } from '../../core/internal.js';
import {
  type AcquireOptions,
  type Limiter,
  LimiterQueue,
  type LimiterStats,
  type LimiterWaitOptions,
} from '../../resilience/index.js';
import { codeOf, withoutPayload } from '../without-payload.js';
import { type OwnRedisClient, openRedis, type RedisScriptClient } from './redis-client.js';
import { giveBackScript, slidingWindowScript } from './sliding-window-script.js';

/**
 * A rate for all processes that use the same key on the same Redis. Give `client` or `url`. To
 * `maxWaitMs` comes the time that Redis needs to answer.
 */
export interface SharedLimiterOptions extends LimiterWaitOptions {
  /** A ready ioredis client, Redis or Cluster. The caller owns it. */
  readonly client?: RedisScriptClient;
  /** `redis:` or `rediss:`. The connection is ours, opened on first use. */
  readonly url?: string;
  /** Names the quota. In Redis it is `safla:limit:<key>`. */
  readonly key: string;
  /** Calls per interval, and the largest burst. A whole number. */
  readonly limit: number;
  /** The interval in milliseconds. */
  readonly intervalMs: number;
  /** How long Redis may take to answer, in milliseconds. @default 2000 */
  readonly commandTimeoutMs?: number;
  /**
   * Asked in the place of Redis while that cannot be: a `LocalLimiter` with this process' share of the quota,
   * for one. The caller owns it. @default none: `acquire` rejects with ConnectionError, no call goes out uncounted
   */
  readonly fallback?: Limiter;
}

const optionChecks: OptionChecks<SharedLimiterOptions> = {
  client: is.object,
  url: is.url('redis:', 'rediss:'),
  key: is.required(is.text),
  limit: is.required(is.count),
  intervalMs: is.required(is.milliseconds),
  commandTimeoutMs: is.milliseconds,
  fallback: (value, field) => is.function((value as { acquire?: unknown } | null)?.acquire, `${field}.acquire`),
  maxQueue: is.countOrZero,
  maxWaitMs: is.countOrZero,
};

/** What Redis says to a cost: it was counted in a slot, or how long it is worth waiting. */
type Answer = { readonly slot: number } | { readonly waitMs: number };

/** Those in line behind a failure get it too, rather than waiting for one timeout after the other. */
const failFastMs = 100;

const keyPrefix = 'safla:limit';

const loadLimiter = lazy(() => import('rate-limiter-flexible'));

/**
 * One quota for many processes, on Redis by rate-limiter-flexible. In every interval, wherever it
 * begins, at most `limit` calls are let through in all, by the clock of the Redis server; steady demand
 * gets at least 60/61 of it. What this stands on: the key is not evicted, and a failover loses no writes.
 *
 * Callers wait in line per process, bounded and abortable; a turn that came for one who has left goes to
 * the next or back to Redis. When Redis does not answer, `acquire` asks the `fallback`, or rejects with
 * ConnectionError: it neither hangs nor lets the call through uncounted.
 *
 * @throws ConfigurationError
 * @example
 * await using limiter = new SharedLimiter({ url: env.REDIS_URL, key: 'github', limit: 5_000, intervalMs: 3_600_000 });
 * await using github = new APIIntegration({ baseURL: 'https://api.github.com', auth, policy: { limiter } });
 */
export class SharedLimiter implements Limiter, Closeable {
  readonly #options: Readonly<SharedLimiterOptions>;
  readonly #subject: string;
  readonly #commandTimeoutMs: number;
  readonly #queue: LimiterQueue;
  readonly #lifecycle: Lifecycle;
  readonly #quota: () => Promise<(cost: number) => Promise<Answer>>;
  readonly #maxWaitMs: number;
  #own: OwnRedisClient | undefined;
  #failure: { readonly error: ConnectionError; readonly until: number } | undefined;
  /** Where the last turn was counted. */
  #slot = 0;
  #refused = 0;
  #released = false;

  constructor(options: SharedLimiterOptions) {
    checkOptions('SharedLimiter', options, optionChecks);
    if (options.limit === Number.POSITIVE_INFINITY) throw refusal('limit', 'must be finite');
    if (options.intervalMs === Number.POSITIVE_INFINITY) throw refusal('intervalMs', 'must be finite');
    if ((options.client === undefined) === (options.url === undefined))
      throw refusal('client', 'or SharedLimiter.url must be given, and not both');
    this.#options = Object.freeze({ ...options });
    this.#commandTimeoutMs = options.commandTimeoutMs ?? 2_000;
    this.#quota = lazy(() => this.#open());
    this.#maxWaitMs = options.maxWaitMs ?? 30_000;
    this.#subject = `rate limit '${options.key}'`;
    // How long a turn may be away is decided with Redis' answer in hand, so that silence is not taken for a limit.
    const maxWaitMs = this.#maxWaitMs + this.#commandTimeoutMs;
    const giveBack = (unused: number): void => this.#giveBack(unused, this.#slot);
    this.#queue = new LimiterQueue(this.#subject, (cost) => this.#take(cost), { ...options, maxWaitMs, giveBack });
    this.#lifecycle = new Lifecycle(`SharedLimiter '${options.key}'`);
  }

  /**
   * @throws ConnectionError when Redis does not answer in time and there is no `fallback`
   * @throws RateLimitError QueueFullError ClosedError ConfigurationError (a `cost` that can never be granted)
   */
  async acquire(options: AcquireOptions = {}): Promise<void> {
    const cost = options.cost ?? 1;
    if (!Number.isSafeInteger(cost) || cost < 1 || cost > this.#options.limit)
      throw new ConfigurationError(
        `cost must be a whole number from 1 to the limit of ${this.#options.limit}, got ${cost}`,
        { field: 'cost' },
      );
    let slot: number | undefined;
    try {
      await this.#lifecycle.call(this.#subject, options, async (scope) => {
        await this.#queue.acquire({ cost, signal: scope.signal });
        slot = this.#slot;
      });
    } catch (error) {
      // The turn came in the moment the caller left.
      if (slot !== undefined) this.#giveBack(cost, slot);
      if (!(error instanceof ConnectionError && this.#options.fallback)) throw error;
      await this.#options.fallback.acquire(options);
    }
  }

  stats(): LimiterStats {
    const stats = this.#queue.stats();
    return { ...stats, refused: stats.refused + this.#refused };
  }

  /** Lets those who wait get their turn until the deadline, then closes the connection if it is ours. */
  async close(options: CloseOptions = {}): Promise<void> {
    await this.#lifecycle.close(options, () => {
      this.#released = true;
      this.#own?.disconnect();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #take(cost: number): Promise<number> {
    if (this.#failure && performance.now() < this.#failure.until) throw this.#failure.error;
    const answer = await this.#ask(cost);
    if ('slot' in answer) {
      this.#slot = answer.slot;
      return 0;
    }
    const { waitMs } = answer;
    if (waitMs <= this.#maxWaitMs) return waitMs;
    this.#refused += 1;
    throw new RateLimitError(
      `${this.#subject}: the limit is reached and the next turn is about ${waitMs} ms away, longer than a call may wait (maxWaitMs: ${this.#maxWaitMs})`,
      { retryAfterMs: waitMs },
    );
  }

  async #ask(cost: number): Promise<Answer> {
    const timeoutMs = this.#commandTimeoutMs;
    using scope = new CallScope('Redis', { timeoutMs });
    const asking = this.#quota().then((ask) => ask(cost));
    try {
      return await scope.run(() => asking);
    } catch (failure) {
      // An answer that comes after all is a turn that nobody takes.
      asking.then(
        (late) => 'slot' in late && this.#giveBack(cost, late.slot),
        () => undefined,
      );
      const cause = cleaned(this.#own?.lastFailure() ?? failure);
      const reason = scope.cancelled ? `Redis did not answer within ${timeoutMs} ms` : 'Redis cannot be asked';
      const message = `${this.#subject}: ${reason} (${cause.message || cause.name})`;
      const error = new ConnectionError(message, { systemCode: codeOf(cause), cause });
      this.#failure = { error, until: performance.now() + failFastMs };
      throw error;
    }
  }

  /** Best effort: what cannot be given back counts for one interval. */
  #giveBack(cost: number, slot: number): void {
    const client = this.#options.client ?? this.#own;
    client?.eval(giveBackScript, 1, `${keyPrefix}:${this.#options.key}`, slot, cost).catch(() => undefined);
  }

  /** Gives the function that takes tokens. */
  async #open(): Promise<(cost: number) => Promise<Answer>> {
    const { key, limit, intervalMs, url } = this.#options;
    const { RateLimiterRedis, RateLimiterRes } = await loadLimiter();
    if (url !== undefined) this.#own ??= await openRedis(url, this.#commandTimeoutMs);
    // Closed while the driver was being loaded: the client must not connect any more.
    if (this.#released) this.#own?.disconnect();
    const client = this.#options.client ?? this.#own;
    if (!client) throw refusal('client', 'is missing');
    const limiter: RateLimiterRedis = new RateLimiterRedis({
      storeClient: scripted(client, intervalMs),
      keyPrefix,
      points: limit,
      // The script counts in milliseconds; whole seconds from 1 select the library's scripted path.
      duration: Math.max(1, intervalMs / 1_000),
      customIncrTtlLuaScript: slidingWindowScript,
    });
    return async (cost) => {
      try {
        return { slot: (await limiter.consume(key, cost)).msBeforeNext };
      } catch (error) {
        if (error instanceof RateLimiterRes) return { waitMs: Math.max(1, error.msBeforeNext) };
        throw error;
      }
    };
  }
}

interface ScriptedClient {
  defineCommand(name: string, definition: { readonly lua: string }): void;
  [command: string]: unknown;
}

/**
 * The library defines its script as a command on the client it gets, under one fixed name. On a client
 * that is shared, that would replace the script of every other limiter, so it gets a stand-in.
 */
function scripted(client: RedisScriptClient, intervalMs: number): ScriptedClient {
  return {
    defineCommand(name, { lua }) {
      this[name] = ([key = '', ...args]: string[]) => client.eval(lua, 1, key, ...args, intervalMs);
    },
  };
}

function refusal(field: string, problem: string): ConfigurationError {
  return new ConfigurationError(`SharedLimiter.${field} ${problem}`, { field: `SharedLimiter.${field}` });
}

/** The failure without the command it belongs to: the first one of a connection carries the password. */
function cleaned(failure: unknown): Error {
  if (SaflaError.is(failure)) return failure;
  return withoutPayload(failure instanceof Error ? failure : new Error(String(failure)), (text) =>
    // Servers repeat the arguments of a command they do not know, which HELLO is before Redis 6.
    redactText(text.replaceAll(/, with args beginning with:.*/g, '')),
  );
}
