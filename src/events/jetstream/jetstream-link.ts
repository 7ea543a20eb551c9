import { performance } from 'node:perf_hooks';
import type { JetStreamApiError, JetStreamClient, JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import {
  CallScope,
  ClosedError,
  ConfigurationError,
  ConnectionError,
  redactText,
  TimeoutError,
} from '../../core/index.js';
import { importOptional, lazy } from '../../core/internal.js';
import { fullJitter } from '../../resilience/backoff.js';
import { JetStreamNames } from './jetstream-names.js';
import type { JetStreamSettings } from './jetstream-options.js';
import { type NatsTarget, natsFailure } from './nats-failure.js';

/** A connection whose streams exist. */
export interface OpenLink {
  readonly nats: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly newHeaders: () => MsgHdrs;
  /** A subject of our own, where answers come. */
  readonly newInbox: () => string;
  /** How long the log remembers ids, in milliseconds. */
  readonly dedupeWindowMs: number;
}

const owner = 'jetstream()';
/** A server may still be storing what came over a connection that broke; it must be done before the same comes again. In milliseconds. */
const leastPauseMs = 250;
/** On top of that, in milliseconds. */
const longestPauseMs = 1_000;

/** The transport's connection: opened at first use, with the streams it needs. */
export class JetStreamLink {
  readonly names: JetStreamNames;
  /** For failures. */
  readonly target: NatsTarget;
  readonly #settings: JetStreamSettings;
  readonly open: () => Promise<OpenLink> = lazy(() => this.#open());
  /** The host's function is asked once. */
  readonly #given: () => Promise<NatsConnection>;
  #opened: NatsConnection | undefined;
  #closed = false;

  constructor(settings: JetStreamSettings) {
    this.#settings = settings;
    this.names = new JetStreamNames(settings);
    const { servers, connection } = settings.source;
    this.#given = lazy(async () => (typeof connection === 'function' ? connection() : Promise.reject(connection)));
    const where = servers === undefined ? 'the given connection' : redactText([servers].flat().join(', '));
    this.target = { where, timeoutMs: settings.requestTimeoutMs };
  }

  /**
   * Runs one exchange with the server; its failures are told in our errors. What got no answer is tried
   * again for `timeoutMs`, so the exchange must do no harm when it is repeated.
   *
   * @param scope The call it belongs to, when there is one. @param once Tries it once: for what must not be repeated.
   */
  async ask<T>(
    doing: string,
    exchange: (link: OpenLink) => Promise<T>,
    { scope, once = false }: { readonly scope?: CallScope; readonly once?: boolean } = {},
  ): Promise<T> {
    const { timeoutMs } = this.#settings;
    const end = performance.now() + timeoutMs;
    using pause = new CallScope(doing, { parents: [scope] });
    for (let attempt = 1; ; attempt++) {
      try {
        return await exchange(await this.open());
      } catch (cause) {
        const error = natsFailure(cause, doing, this.target);
        const passing = error instanceof ConnectionError || error instanceof TimeoutError;
        if (once || !passing || performance.now() >= end || this.#closed) throw error;
        await pause.sleep(leastPauseMs + fullJitter(attempt, longestPauseMs, {}));
      }
    }
  }

  /** Like {@link JetStreamLink.ask}; undefined where the server says that there is no such thing. */
  async find<T>(doing: string, exchange: (link: OpenLink) => Promise<T>): Promise<T | undefined> {
    return this.ask(doing, async (link) => {
      try {
        return await exchange(link);
      } catch (error) {
        if ((error as Partial<JetStreamApiError>).status === 404) return undefined;
        throw error;
      }
    });
  }

  /** Ends the connection that was opened here, also one that is still being opened. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#opened?.close();
  }

  async #open(): Promise<OpenLink> {
    const { requestTimeoutMs: timeout } = this.#settings;
    const transport = await importOptional('@nats-io/transport-node', owner, () => import('@nats-io/transport-node'));
    const { jetstream } = await importOptional('@nats-io/jetstream', owner, () => import('@nats-io/jetstream'));
    const nats = await this.#connect(transport.connect);
    const client = jetstream(nats, { timeout });
    const manager = await client.jetstreamManager();
    const dedupeWindowMs = await this.#makeStreams(manager);
    const inboxPrefix = this.#settings.source.connect?.inboxPrefix;
    return {
      nats,
      client,
      manager,
      newHeaders: () => transport.headers(),
      newInbox: () => transport.createInbox(inboxPrefix),
      dedupeWindowMs,
    };
  }

  async #connect(connect: typeof import('@nats-io/transport-node').connect): Promise<NatsConnection> {
    const { connection, servers, connect: more } = this.#settings.source;
    if (typeof connection === 'object') return connection;
    if (connection) return this.#given();
    const opened =
      this.#opened ??
      (await connect({
        name: '@safla/sdk',
        // A server that is away for an hour is found again: callers have their own time limits.
        maxReconnectAttempts: -1,
        reconnectTimeWait: 250,
        timeout: this.#settings.requestTimeoutMs,
        ...more,
        servers: typeof servers === 'string' ? servers : [...(servers ?? [])],
      }));
    this.#opened = opened;
    if (!this.#closed) return opened;
    await opened.close();
    throw new ClosedError('JetStream transport');
  }

  /** Gives how long the log remembers ids. */
  async #makeStreams(manager: JetStreamManager): Promise<number> {
    const { dedupeWindowMs, maxAgeMs, maxBytes, overflow, maxDeadLetters, replicas, storage } = this.#settings;
    const { log, dead, again } = this.names;
    const common = { num_replicas: replicas, storage } as Pick<StreamConfig, 'num_replicas' | 'storage'>;
    const limits = {
      ...(Number.isFinite(maxAgeMs) ? { max_age: nanoseconds(maxAgeMs) } : {}),
      ...(Number.isFinite(maxBytes) ? { max_bytes: maxBytes } : {}),
      discard: (overflow === 'reject' ? 'new' : 'old') as StreamConfig['discard'],
    };
    const duplicate_window = nanoseconds(Math.min(dedupeWindowMs, maxAgeMs));
    const config = await makeStream(manager, {
      ...common,
      ...limits,
      name: log,
      subjects: [this.names.subject('**')],
      duplicate_window,
    });
    await makeStream(manager, {
      ...common,
      name: dead,
      subjects: [this.names.deadSubject('**')],
      ...(Number.isFinite(maxDeadLetters) ? { max_msgs_per_subject: maxDeadLetters } : {}),
    });
    const retention = 'workqueue' as StreamConfig['retention'];
    await makeStream(manager, { ...common, name: again, subjects: [this.names.againSubject('*')], retention });
    return config.duplicate_window / 1e6;
  }
}

/** A stream that exists is taken as it is, so that whoever runs the server can choose its limits. */
async function makeStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<StreamConfig> {
  const { name, subjects = [] } = config;
  const found = await manager.streams.info(name).catch((error: JetStreamApiError) => {
    if (error.status === 404) return undefined;
    throw error;
  });
  const known = found ?? (await manager.streams.add(config));
  if (subjects.every((subject) => known.config.subjects.includes(subject))) return known.config;
  throw new ConfigurationError(
    `The JetStream stream '${name}' exists and does not keep '${subjects.join("', '")}'; choose another stream or subject`,
    { field: 'jetstream.stream' },
  );
}

/** NATS counts in nanoseconds. */
export function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}
