import { ConfigurationError, type StandardSchemaV1, type TelemetryOptions } from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import type { BroadcastTransport } from './broadcast-transport.js';
import { type ChannelSchemas, schemasCheck } from './event-stream-options.js';
import { defaultMaxPayloadBytes } from './payload-limit.js';
import { inProcess } from './transports/in-process/in-process-transport.js';

/** Options of {@link EventBusIntegration}; give either `url` or `transport`. */
export interface EventBusOptions {
  /** `memory:` for a bus of its own within this process. */
  readonly url?: string;
  /** A transport that you own, to connect buses: share one `inProcess()`. It is not closed with the bus. */
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
    url: is.url('memory:'),
    transport: is.object,
    schemas: schemasCheck,
    maxPayloadBytes: is.count,
    telemetry: is.object,
  });
  const { url, transport } = options;
  if ((url === undefined) === (transport === undefined)) {
    throw new ConfigurationError("EventBusIntegration needs either url: 'memory:' or a transport", {
      field: 'EventBusIntegration.url',
    });
  }
  return {
    transport: transport ?? inProcess(),
    ownsTransport: transport === undefined,
    schemas: new Map(Object.entries(options.schemas ?? {})),
    maxPayloadBytes: options.maxPayloadBytes ?? defaultMaxPayloadBytes,
  };
}
