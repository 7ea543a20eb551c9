import { ConfigurationError } from '../../../core/index.js';
import { checkOptions, is } from '../../../core/internal.js';
import { type RedisClient, redisClientCheck } from '../../../drivers/redis/index.js';

/** Where {@link redisPubSub} broadcasts. Give `url` or `client`. */
export interface RedisPubSubOptions {
  /** `redis:` or `rediss:`, one server. The connections are ours, opened on first use. */
  readonly url?: string;
  /** A ready ioredis client, `Redis` or `Cluster`. You close it; the connection for subscriptions, a duplicate, is ours. */
  readonly client?: RedisClient;
  /**
   * SPUBLISH and SSUBSCRIBE (Redis 7), by which a cluster carries a message only to the shard of its channel.
   * Programs that use SUBSCRIBE do not hear those. @default true for a Cluster, else false
   */
  readonly sharded?: boolean;
  /** How long Redis may be away before calls reject with ConnectionError, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
  /** Messages that may wait for Redis; one more is refused with QueueFullError. @default 10000 */
  readonly maxQueuedEvents?: number;
  /** Bytes of those. @default 67108864 (64 MiB) */
  readonly maxQueuedBytes?: number;
}

/** {@link RedisPubSubOptions} with defaults. */
export interface RedisPubSubSettings {
  readonly sharded: boolean;
  readonly timeoutMs: number;
  readonly maxQueuedEvents: number;
  readonly maxQueuedBytes: number;
}

/** @throws ConfigurationError */
export function redisPubSubSettings(options: RedisPubSubOptions): RedisPubSubSettings {
  checkOptions<RedisPubSubOptions>('redisPubSub', options, {
    url: is.url('redis:', 'rediss:'),
    client: redisClientCheck,
    sharded: is.flag,
    timeoutMs: is.milliseconds,
    maxQueuedEvents: is.count,
    maxQueuedBytes: is.count,
  });
  if ((options.url === undefined) === (options.client === undefined)) {
    throw new ConfigurationError('redisPubSub needs either url or client', { field: 'redisPubSub.url' });
  }
  return {
    sharded: options.sharded ?? options.client?.isCluster ?? false,
    timeoutMs: options.timeoutMs ?? 10_000,
    maxQueuedEvents: options.maxQueuedEvents ?? 10_000,
    maxQueuedBytes: options.maxQueuedBytes ?? 67_108_864,
  };
}
