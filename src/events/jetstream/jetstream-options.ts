import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { type Awaitable, ConfigurationError } from '../../core/index.js';
import { checkOptions, is, type OptionCheck } from '../../core/internal.js';

/** Options of {@link jetstream}; give either `servers` or `connection`. */
export interface JetStreamOptions {
  /** Where NATS listens: `nats://127.0.0.1:4222` or `127.0.0.1:4222`, or several of one cluster. The connection is closed with the transport. */
  readonly servers?: string | readonly string[];
  /** More settings of the connection that `servers` opens: credentials, TLS. See `@nats-io/transport-node`. */
  readonly connect?: Omit<NodeConnectionOptions, 'servers'>;
  /** A connection that you own, or a function that gives one, called once; it is not closed with the transport. */
  readonly connection?: NatsConnection | (() => Awaitable<NatsConnection>);
  /**
   * Name of the JetStream stream that keeps the log; `<name>_DEAD` and `<name>_AGAIN` stand beside it for dead
   * letters and for those given back. They are made where they do not exist. @default 'SAFLA_EVENTS'
   */
  readonly stream?: string;
  /** Subject before every channel: 'order.paid' is published to 'safla.events.order.paid'. @default 'safla.events' */
  readonly subject?: string;
  /** How long the server waits for a member that died before it gives its events to others, in milliseconds. Handlers may run longer: members report that they are at work. @default 30000 */
  readonly ackWaitMs?: number;
  /** How long the server may take for one answer, in milliseconds. @default 2000 */
  readonly requestTimeoutMs?: number;
  /** How long the server may be away before calls reject, in milliseconds. A publish without dedupe is tried once. @default 10000 */
  readonly timeoutMs?: number;
  /** How long ids are remembered, in milliseconds; the stream's `duplicate_window`. No publish may ask for more. For a stream made here. @default 120000 */
  readonly dedupeWindowMs?: number;
  /** Copies of each event in the cluster. For streams made here. @default 1 */
  readonly replicas?: number;
  /** For streams made here. @default 'file' */
  readonly storage?: 'file' | 'memory';
  /** Older events go, also where a group has still to settle them, in milliseconds. For a stream made here. @default Infinity */
  readonly maxAgeMs?: number;
  /** Bytes the log may take. For a stream made here. @default Infinity */
  readonly maxBytes?: number;
  /** What a log with `maxBytes` does when it is full: refuse new events with QueueFullError, or drop the oldest, also where a group has still to settle them. @default 'reject' */
  readonly overflow?: 'reject' | 'drop-oldest';
  /** Dead letters kept per channel; the oldest go. For a stream made here. @default 10000 */
  readonly maxDeadLetters?: number;
}

/** {@link JetStreamOptions} with defaults. */
export type JetStreamSettings = Required<Omit<JetStreamOptions, 'servers' | 'connect' | 'connection'>> & {
  readonly source: Pick<JetStreamOptions, 'servers' | 'connect' | 'connection'>;
};

/** What NATS allows in the name of a stream, and what can be part of a file's name everywhere. */
const streamName = /^[A-Za-z0-9_-]{1,100}$/;
const subjectPrefix = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** The client overlooks schemes and credentials in addresses: better to refuse them than to go without TLS or password. */
const serverAddress = /^(?:nats:\/\/)?[^\s/@?#]+\/?$/;

/** @throws ConfigurationError */
export function jetStreamSettings(options: JetStreamOptions): JetStreamSettings {
  checkOptions<JetStreamOptions>('jetstream', options, {
    servers: serversCheck,
    connect: is.object,
    connection: is.either('a NatsConnection or a function', is.function, is.object),
    stream: matching(streamName, "1 to 100 letters, digits, '-' or '_'"),
    subject: matching(subjectPrefix, "letters, digits, '-' and '_' with dots between: 'app.events'"),
    ackWaitMs: finite(is.milliseconds),
    requestTimeoutMs: finite(is.milliseconds),
    timeoutMs: finite(is.milliseconds),
    dedupeWindowMs: finite(is.milliseconds),
    replicas: finite(is.count),
    storage: is.oneOf('file', 'memory'),
    maxAgeMs: is.milliseconds,
    maxBytes: is.count,
    overflow: is.oneOf('reject', 'drop-oldest'),
    maxDeadLetters: is.count,
  });
  const { servers, connect, connection, ...given } = options;
  if ((servers === undefined) === (connection === undefined)) {
    throw new ConfigurationError("jetstream needs either servers, such as 'nats://127.0.0.1:4222', or a connection", {
      field: 'jetstream.servers',
    });
  }
  return {
    stream: 'SAFLA_EVENTS',
    subject: 'safla.events',
    ackWaitMs: 30_000,
    requestTimeoutMs: 2_000,
    timeoutMs: 10_000,
    dedupeWindowMs: 120_000,
    replicas: 1,
    storage: 'file',
    maxAgeMs: Number.POSITIVE_INFINITY,
    maxBytes: Number.POSITIVE_INFINITY,
    overflow: 'reject',
    maxDeadLetters: 10_000,
    ...withoutUndefined(given),
    source: withoutUndefined({ servers, connect, connection }),
  };
}

function serversCheck(value: unknown, field: string): void {
  const servers: unknown = typeof value === 'string' ? [value] : value;
  is.list(servers, field);
  const good = (server: unknown): boolean => typeof server === 'string' && serverAddress.test(server);
  if ((servers as readonly unknown[]).length > 0 && (servers as readonly unknown[]).every(good)) return;
  throw new ConfigurationError(
    `${field} must be addresses like 'nats://127.0.0.1:4222'; credentials and TLS go into connect: { user, pass, tls: {} }`,
    { field },
  );
}

function finite(check: OptionCheck): OptionCheck {
  return (value, field) => {
    check(value, field);
    if (!Number.isFinite(value)) throw new ConfigurationError(`${field} must be finite`, { field });
  };
}

function matching(pattern: RegExp, expected: string): OptionCheck {
  return (value, field) => {
    if (typeof value !== 'string' || !pattern.test(value))
      throw new ConfigurationError(`${field} must be ${expected}`, { field });
  };
}

function withoutUndefined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
