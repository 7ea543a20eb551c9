import type { ConnectionOptions } from 'bullmq';
import { ConfigurationError, type TelemetryOptions } from '../../core/index.js';
import { is, type OptionCheck, type OptionChecks } from '../../core/internal.js';
import { type RedisClient, redisClientCheck } from '../../drivers/redis/index.js';

/** Where the queue is. The same for those who submit and those who work. */
export interface FleetConnectionOptions {
  /** `redis:` or `rediss:`. Connections are opened on first use and closed by `close`. */
  readonly url?: string;
  /** A ready ioredis client with `maxRetriesPerRequest: null`, which BullMQ demands. Its owner closes it; connections that wait are duplicates of it. */
  readonly client?: RedisClient;
  /** @default 'agents' */
  readonly queue?: string;
  /** Stands before every key. @default 'safla' */
  readonly prefix?: string;
  readonly telemetry?: TelemetryOptions;
}

const queueCheck: OptionCheck = (value, field) => {
  is.text(value, field);
  if ((value as string).includes(':')) throw new ConfigurationError(`${field} may not have a colon`, { field });
};

export const connectionChecks: OptionChecks<FleetConnectionOptions> = {
  url: is.url('redis:', 'rediss:'),
  client: redisClientCheck,
  queue: queueCheck,
  prefix: is.text,
  telemetry: is.object,
};

/** {@link FleetConnectionOptions} with defaults. */
export interface FleetConnection {
  readonly queue: string;
  readonly prefix: string;
  readonly target: { readonly url: string | undefined; readonly client: RedisClient | undefined };
  readonly connection: ConnectionOptions;
}

/** @throws ConfigurationError unless there is a url or a client */
export function fleetConnection(owner: string, options: FleetConnectionOptions): FleetConnection {
  const { url, client, queue = 'agents', prefix = 'safla' } = options;
  if ((url === undefined) === (client === undefined)) {
    throw new ConfigurationError(`${owner} needs one of url and client`, { field: `${owner}.url` });
  }
  const connection = client ? (client as unknown as ConnectionOptions) : { url: url ?? '', maxRetriesPerRequest: null };
  return { queue, prefix, target: { url, client }, connection };
}
