import { ConfigurationError } from '../../../core/index.js';
import { checkOptions, is } from '../../../core/internal.js';
import { type RedisClient, redisClientCheck } from '../../../drivers/redis/index.js';

/** Where and how events are kept by {@link redisStreams}. Give `url` or `client`. Needs Redis 7 or Valkey. */
export interface RedisStreamsOptions {
  /** `redis:` or `rediss:`, one server. The connection is ours, opened on first use. */
  readonly url?: string;
  /** A ready ioredis client: `Redis` (with Sentinel too) or `Cluster`. You close it, after the transport. */
  readonly client?: RedisClient;
  /** What every key begins with, inside a hash tag. Streams with the same prefix meet. @default 'safla:events' */
  readonly prefix?: string;
  /**
   * Streams that each channel is spread over, by key, else by id: more than one lets a cluster share the
   * work. Order then holds per key, no longer per channel. All that use a channel must agree. @default 1
   */
  readonly partitions?: number;
  /** Events kept per partition. @default 1000000 */
  readonly maxEvents?: number;
  /** Events that every group has settled are dropped after this time, in milliseconds. @default Infinity, until room is needed */
  readonly maxAgeMs?: number;
  /**
   * A full partition gives up its oldest events. When some group has still to settle those, `'reject'`
   * refuses the new ones with QueueFullError, `'drop-oldest'` drops the old ones for that group. @default 'reject'
   */
  readonly overflow?: 'reject' | 'drop-oldest';
  /** Dead letters kept per partition, about. @default 10000 */
  readonly maxDeadLetters?: number;
  /**
   * Replicas that must have an event before `publish` resolves (WAIT). 0 trusts the primary: what it had
   * acknowledged and not yet replicated is lost when it dies. @default 0
   */
  readonly waitReplicas?: number;
  /** How long Redis may be away before calls reject with ConnectionError, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
  /** Events that may wait for Redis; one more is refused with QueueFullError. @default 10000 */
  readonly maxQueuedEvents?: number;
  /** Bytes of those. @default 67108864 (64 MiB) */
  readonly maxQueuedBytes?: number;
  /** How long a consumer may be silent before the others take over what it holds, in milliseconds. @default 30000 */
  readonly deadAfterMs?: number;
  /** How often a waiting consumer looks for what nobody tells it of: events of other programs, new channels of a pattern. In milliseconds. @default 1000 */
  readonly pollMs?: number;
}

/** {@link RedisStreamsOptions} with defaults. */
export type RedisStreamsSettings = Required<Omit<RedisStreamsOptions, 'url' | 'client'>>;

/** @throws ConfigurationError */
export function redisStreamsSettings(options: RedisStreamsOptions): RedisStreamsSettings {
  checkOptions<RedisStreamsOptions>('redisStreams', options, {
    url: is.url('redis:', 'rediss:'),
    client: redisClientCheck,
    prefix: prefixCheck,
    partitions: finite(is.count),
    maxEvents: is.count,
    maxAgeMs: is.milliseconds,
    overflow: is.oneOf('reject', 'drop-oldest'),
    maxDeadLetters: finite(is.count),
    waitReplicas: is.countOrZero,
    timeoutMs: finite(is.milliseconds),
    maxQueuedEvents: is.count,
    maxQueuedBytes: is.count,
    deadAfterMs: finite(is.milliseconds),
    pollMs: finite(is.milliseconds),
  });
  if ((options.url === undefined) === (options.client === undefined)) {
    throw new ConfigurationError('redisStreams needs either url or client', { field: 'redisStreams.url' });
  }
  return {
    prefix: options.prefix ?? 'safla:events',
    partitions: options.partitions ?? 1,
    maxEvents: options.maxEvents ?? 1_000_000,
    maxAgeMs: options.maxAgeMs ?? Number.POSITIVE_INFINITY,
    overflow: options.overflow ?? 'reject',
    maxDeadLetters: options.maxDeadLetters ?? 10_000,
    waitReplicas: options.waitReplicas ?? 0,
    timeoutMs: options.timeoutMs ?? 10_000,
    maxQueuedEvents: options.maxQueuedEvents ?? 10_000,
    maxQueuedBytes: options.maxQueuedBytes ?? 67_108_864,
    deadAfterMs: options.deadAfterMs ?? 30_000,
    pollMs: options.pollMs ?? 1_000,
  };
}

function prefixCheck(value: unknown, field: string): void {
  is.text(value, field);
  if (/[{}]/.test(String(value))) throw new ConfigurationError(`${field} must not contain '{' or '}'`, { field });
}

function finite(check: (value: unknown, field: string) => void): (value: unknown, field: string) => void {
  return (value, field) => {
    check(value, field);
    if (value === Number.POSITIVE_INFINITY) throw new ConfigurationError(`${field} must be finite`, { field });
  };
}
