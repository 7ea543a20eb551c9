import { ConfigurationError, type StandardSchemaV1, Telemetry } from '../core/index.js';
import { checkOptions, is, isSchema, type OptionCheck, type OptionChecks } from '../core/internal.js';
import { headerFault } from '../drivers/http/index.js';
import { defaultClosePolicy } from './close-policy.js';
import { type Codec, jsonCodec } from './codec.js';
import type { KeeperSettings } from './connection-keeper.js';
import type { Correlation } from './correlation.js';
import { checkURL } from './dial.js';
import type { HeartbeatOptions } from './heartbeat.js';
import { type MessageBufferOptions, messageBufferChecks } from './message-stream.js';
import { reconnectChecks } from './reconnect.js';
import { type SendQueueOptions, sendQueueChecks } from './send-queue.js';
import type { WaterMarks } from './water-marks.js';
import type { CheckedWebSocketOptions, WebSocketIntegrationOptions, WebSocketSettings } from './websocket-options.js';
import type { WSClientOptions } from './ws-options.js';

/** The options, checked once and complete. */
export interface NormalSettings<In, Out> {
  readonly name: string;
  readonly keeper: KeeperSettings;
  readonly codec: Codec<unknown, Out>;
  readonly schema: StandardSchemaV1<unknown, In> | undefined;
  readonly queue: SendQueueOptions;
  readonly buffer: MessageBufferOptions;
  readonly correlation: string | Correlation<In, Out>;
  readonly requestTimeoutMs: number;
  readonly maxRequests: number;
  readonly maxPayloadBytes: number;
  readonly telemetry: Telemetry;
}

const owner = 'WebSocketIntegration';
const orFalse = (check: OptionCheck): OptionCheck => is.either('false or an options object', is.oneOf(false), check);
const checks: OptionChecks<WebSocketSettings & { readonly codec?: Codec; readonly schema?: StandardSchemaV1 }> = {
  url: is.required(unlessFunction(checkURL)),
  protocols(value, field) {
    for (const protocol of Array.isArray(value) ? value : [value]) is.text(protocol, field);
  },
  headers: unlessFunction(headerFields),
  token: unlessFunction((value, field) => {
    is.text(value, field);
    headerFields({ authorization: value }, field);
  }),
  reconnect: orFalse(is.options(reconnectChecks)),
  closePolicy: is.function,
  heartbeat: orFalse(is.options<HeartbeatOptions>({ intervalMs: is.milliseconds, timeoutMs: is.milliseconds })),
  queue: is.options(sendQueueChecks),
  backpressure: is.options<Partial<WaterMarks>>({ highBytes: is.count, lowBytes: is.count }),
  buffer: is.options(messageBufferChecks),
  correlation: is.either('the name of a field, or { attach, idOf }', is.text, withMethods('attach', 'idOf')),
  handshakeTimeoutMs: is.milliseconds,
  requestTimeoutMs: is.milliseconds,
  maxRequests: is.count,
  maxPayloadBytes: is.count,
  ws: is.object,
  name: is.text,
  telemetry: is.object,
  clock: withMethods('now', 'schedule'),
  codec: withMethods('encode', 'decode'),
  schema(value, field) {
    if (!isSchema(value))
      throw new ConfigurationError(`${field} must be a Standard Schema, such as one of zod`, { field });
  },
};

/** The positional form: what the guide's class did, a limit of five attempts included. */
export function positionalOptions(url: string | URL, ws: WSClientOptions | undefined): WebSocketIntegrationOptions {
  return { url, reconnect: { maxAttempts: 5 }, ...(ws && { ws }) };
}

/** @throws ConfigurationError that names the option */
export function settingsOf<In, Out>(
  options: WebSocketIntegrationOptions<In, Out> | CheckedWebSocketOptions<In, Out>,
): NormalSettings<In, Out> {
  checkOptions(owner, options as WebSocketSettings, checks);
  const { url, headers = {}, token, protocols = [], ws = {}, heartbeat = {}, maxPayloadBytes = 10_485_760 } = options;
  const marks = { highBytes: 1_048_576, lowBytes: 262_144, ...options.backpressure };
  if (marks.lowBytes >= marks.highBytes)
    throw new ConfigurationError(`${owner}.backpressure.lowBytes must be below highBytes`, {
      field: `${owner}.backpressure`,
    });
  const name =
    options.name ?? (typeof url === 'function' ? 'the WebSocket server' : new URL(url).host || 'the local socket');
  const telemetry = new Telemetry('websocket', options.telemetry);
  const settings: NormalSettings<In, Out> = {
    name,
    keeper: {
      target: {
        name,
        url: typeof url === 'function' ? url : String(url),
        headers: typeof headers === 'function' ? headers : { ...headers },
        token,
        protocols: typeof protocols === 'string' ? [protocols] : [...protocols],
        ws: { perMessageDeflate: false, maxPayload: maxPayloadBytes, closeTimeout: 5_000, ...ws } as WSClientOptions,
      },
      reconnect: options.reconnect === false ? false : { ...options.reconnect },
      closePolicy: options.closePolicy ?? defaultClosePolicy,
      heartbeat: heartbeat && { intervalMs: heartbeat.intervalMs ?? 20_000, timeoutMs: heartbeat.timeoutMs ?? 10_000 },
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
      marks,
      clock: options.clock,
      telemetry,
    },
    codec: (options.codec ?? jsonCodec) as Codec<unknown, Out>,
    schema: (options as Partial<CheckedWebSocketOptions<In, Out>>).schema,
    queue: { ...options.queue },
    buffer: { ...options.buffer },
    correlation: options.correlation ?? 'id',
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    maxRequests: options.maxRequests ?? 10_000,
    maxPayloadBytes,
    telemetry,
  };
  return Object.freeze(settings);
}

function withMethods(...names: readonly string[]): OptionCheck {
  return (value, field) => {
    is.object(value, field);
    for (const name of names) is.function((value as Readonly<Record<string, unknown>>)[name], `${field}.${name}`);
  };
}

/** What a function gives is checked when it gives it. */
function unlessFunction(check: OptionCheck): OptionCheck {
  return (value, field) => {
    if (typeof value !== 'function') check(value, field);
  };
}

function headerFields(value: unknown, field: string): void {
  is.object(value, field);
  for (const [name, content] of Object.entries(value as object)) {
    const fault = content === undefined ? undefined : headerFault(name, content);
    if (fault) throw new ConfigurationError(`${field}: a header ${fault}`, { field });
  }
}
