import { ConfigurationError, type StandardSchemaV1, type TelemetryOptions } from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import { schemaCheck } from './consume-options.js';
import type { DeadLetter } from './dead-letters.js';
import type { EventTransport } from './event-transport.js';
import { defaultMaxPayloadBytes } from './payload-limit.js';
import { type RedeliveryOptions, redeliveryChecks } from './redelivery.js';
import { inProcess } from './transports/in-process/in-process-transport.js';
import { redisStreams } from './transports/redis/redis-streams-transport.js';

/** What `data` on which channel must be. */
export type ChannelSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** What the data of a channel is by `Schemas`, `unknown` for channels without a schema. */
export type SchemaOf<Schemas, Channel extends string> = Channel extends keyof Schemas
  ? Schemas[Channel] extends StandardSchemaV1
    ? Schemas[Channel]
    : StandardSchemaV1
  : StandardSchemaV1;

/** How repeated publishing of one id is told from new events. */
export interface DedupeOptions {
  /** How long an id is remembered per channel, in milliseconds. @default 120000 */
  readonly windowMs?: number;
}

/** What happens when an event is given up. */
export interface DeadLetterOptions {
  /** Called for each event that becomes a dead letter, to raise an alarm. What it throws or rejects with is logged; nothing waits for it. */
  readonly onDeadLetter?: (letter: Omit<DeadLetter, 'letterId'>) => unknown;
}

/** Options of {@link EventStream}; give either `url` or `transport`. */
export interface EventStreamOptions<Schemas extends ChannelSchemas = ChannelSchemas> {
  /** `memory:` for a log of its own within this process, `redis:` or `rediss:` for one on Redis Streams; the connection is closed with the stream. */
  readonly url?: string;
  /** A transport that you own, to share or to configure it: `inProcess()`, `redisStreams()` or your own. It is not closed with the stream. */
  readonly transport?: EventTransport;
  /** Data that does not match is refused by `publish` and becomes a dead letter where it is consumed. */
  readonly schemas?: Schemas;
  /** `false` to store every publish. @default a window of two minutes */
  readonly dedupe?: DedupeOptions | false;
  /** What happens to an event whose handler failed. `consume` can choose otherwise. */
  readonly redelivery?: RedeliveryOptions;
  readonly deadLetter?: DeadLetterOptions;
  /** The CloudEvents `source` of published events, a URI reference. @default 'urn:safla:sdk' */
  readonly source?: string;
  /** The longest encoded event, in bytes. @default 1048576 */
  readonly maxPayloadBytes?: number;
  readonly telemetry?: TelemetryOptions;
}

/** {@link EventStreamOptions} with defaults. */
export interface EventStreamSettings {
  readonly transport: EventTransport;
  /** True when the stream made the transport and closes it. */
  readonly ownsTransport: boolean;
  readonly schemas: ReadonlyMap<string, StandardSchemaV1>;
  readonly dedupeWindowMs: number;
  readonly redelivery: RedeliveryOptions;
  readonly onDeadLetter: DeadLetterOptions['onDeadLetter'];
  /** The CloudEvents `source` as JSON. */
  readonly sourceJSON: string;
  readonly maxPayloadBytes: number;
}

const defaultWindowMs = 120_000;

/** @throws ConfigurationError */
export function eventStreamSettings(options: EventStreamOptions): EventStreamSettings {
  checkOptions<EventStreamOptions>('EventStream', options, {
    url: is.url('memory:', 'redis:', 'rediss:'),
    transport: transportCheck,
    schemas: schemasCheck,
    dedupe: is.either(
      '{ windowMs } or false',
      is.oneOf(false),
      is.options<DedupeOptions>({ windowMs: is.milliseconds }),
    ),
    redelivery: is.options(redeliveryChecks),
    deadLetter: is.options<DeadLetterOptions>({ onDeadLetter: is.function }),
    source: is.text,
    maxPayloadBytes: is.count,
    telemetry: is.object,
  });
  const { url, transport, dedupe } = options;
  if ((url === undefined) === (transport === undefined)) {
    throw new ConfigurationError("EventStream needs a url ('memory:', 'redis://...') or a transport, one of the two", {
      field: 'EventStream.url',
    });
  }
  return {
    transport: transport ?? transportFor(url ?? 'memory:'),
    ownsTransport: transport === undefined,
    schemas: new Map(Object.entries(options.schemas ?? {})),
    dedupeWindowMs: dedupe === false ? 0 : (dedupe?.windowMs ?? defaultWindowMs),
    redelivery: options.redelivery ?? {},
    onDeadLetter: options.deadLetter?.onDeadLetter,
    sourceJSON: JSON.stringify(options.source ?? 'urn:safla:sdk'),
    maxPayloadBytes: options.maxPayloadBytes ?? defaultMaxPayloadBytes,
  };
}

function transportFor(url: string): EventTransport {
  return new URL(url).protocol === 'memory:' ? inProcess() : redisStreams({ url });
}

const streamMethods = ['publish', 'subscribe', 'read', 'deadLetters', 'requeue', 'lag', 'close'] as const;

function transportCheck(value: unknown, field: string): void {
  is.object(value, field);
  const transport = value as Partial<Record<string, unknown>>;
  const missing = streamMethods.filter((name) => typeof transport[name] !== 'function');
  if (missing.length === 0 && typeof transport.capabilities === 'object') return;
  throw new ConfigurationError(
    `${field} must be an EventTransport: inProcess(), redisStreams(), jetstream() or one of your own with ${['capabilities', ...streamMethods].join(', ')}`,
    { field },
  );
}

/** A record of schemas by channel. */
export function schemasCheck(value: unknown, field: string): void {
  is.object(value, field);
  for (const [channel, schema] of Object.entries(value as object)) schemaCheck(schema, `${field}.${channel}`);
}
