import { ConfigurationError, type StandardSchemaV1, type TelemetryOptions } from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import { type RedisClient, redisClientCheck } from '../drivers/redis/index.js';
import type { BroadcastTransport } from './broadcast-transport.js';
import { type ChannelSchemas, schemasCheck } from './event-stream-options.js';
import { defaultMaxPayloadBytes } from './payload-limit.js';
import { inProcess } from './transports/in-process/in-process-transport.js';
import { redisPubSub } from './transports/redis/redis-pub-sub-transport.js';

/** Options of {@link EventBusIntegration}; give one of `url`, `client` and `transport`. */
export interface EventBusOptions {
  /** `redis:` or `rediss:` for Redis pub/sub, `memory:` for a bus of its own within this process. */
  readonly url?: string;
  /** A ready ioredis client, `Redis` or `Cluster`, for Redis pub/sub (sharded on a cluster). You close it. */
  readonly client?: RedisClient;
  /** A transport that you own, to connect buses: share one `inProcess()`, or configure `redisPubSub()`. It is not closed with the bus. */
  readonly transport?: BroadcastTransport;
  /** By channel; must be synchronous. An event that does not match is refused by `publish` and reported as `decodeError` where it is received. */
  readonly schemas?: ChannelSchemas;
  /** The longest encoded event, in bytes. @default 1048576 */
  readonly maxPayloadBytes?: number;
  readonly telemetry?: TelemetryOptions;
}

/** {@link EventBusOptions} with defaults. */
export interface EventBusSettings {
  readonly transport: BroadcastTransport;
  /** True when the bus made the transport and closes it. */
  readonly ownsTransport: boolean;
  readonly schemas: ReadonlyMap<string, StandardSchemaV1>;
  readonly maxPayloadBytes: number;
}

/** @throws ConfigurationError */
export function eventBusSettings(options: EventBusOptions): EventBusSettings {
  checkOptions<EventBusOptions>('EventBusIntegration', options, {
    url: is.url('memory:', 'redis:', 'rediss:'),
    client: redisClientCheck,
    transport: transportCheck,
    schemas: schemasCheck,
    maxPayloadBytes: is.count,
    telemetry: is.object,
  });
  const { url, client, transport } = options;
  if ([url, client, transport].filter((way) => way !== undefined).length !== 1) {
    throw new ConfigurationError(
      "EventBusIntegration needs one of url ('memory:', 'redis://...'), client and transport",
      { field: 'EventBusIntegration.url' },
    );
  }
  return {
    transport: transport ?? transportFor(url, client),
    ownsTransport: transport === undefined,
    schemas: new Map(Object.entries(options.schemas ?? {})),
    maxPayloadBytes: options.maxPayloadBytes ?? defaultMaxPayloadBytes,
  };
}

function transportCheck(value: unknown, field: string): void {
  is.object(value, field);
  const transport = value as Partial<Record<string, unknown>>;
  if (['broadcast', 'listen', 'close'].every((name) => typeof transport[name] === 'function')) return;
  throw new ConfigurationError(
    `${field} must be a BroadcastTransport: inProcess(), redisPubSub() or one of your own with broadcast, listen, close`,
    { field },
  );
}

function transportFor(url: string | undefined, client: RedisClient | undefined): BroadcastTransport {
  if (client) return redisPubSub({ client });
  return url === undefined || new URL(url).protocol === 'memory:' ? inProcess() : redisPubSub({ url });
}
