import { ConfigurationError, ConnectionError, detach } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import type { RedisScript } from './redis-script.js';

/** What a Redis command takes. */
export type RedisArgument = string | number;

/** The part of an ioredis client (Redis, with Sentinel too, or Cluster; version 5 or later) that is used. */
export interface RedisClient {
  readonly isCluster: boolean;
  call(command: string, args: RedisArgument[]): Promise<unknown>;
  pipeline(commands: unknown[][]): { exec(): Promise<[error: Error | null, result: unknown][] | null> };
  /** Gives a client of its own with the same settings. */
  duplicate(...args: never[]): unknown;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
}

/** A client for subscriptions. */
export interface RedisSubscriberClient extends RedisClient {
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  ssubscribe(...channels: string[]): Promise<unknown>;
  sunsubscribe(...channels: string[]): Promise<unknown>;
  ping(): Promise<unknown>;
  connect(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
}

/** Where Redis is. One of the two. */
export interface RedisTarget {
  /** `redis:` or `rediss:`. The connection is ours, opened on first use. */
  readonly url?: string | undefined;
  /** A ready client. The caller owns it. */
  readonly client?: RedisClient | undefined;
}

/** What ioredis says when a connection was lost, on one server and on a cluster. */
const disturbances = ['close', 'end', '-node', 'node error'];

const loadRedis = lazy(() => import('ioredis'));

/** @throws ConfigurationError for what is no ioredis client */
export function redisClientCheck(value: unknown, field: string): void {
  const client = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (['call', 'pipeline', 'duplicate', 'on'].every((name) => typeof client[name] === 'function')) return;
  throw new ConfigurationError(`${field} must be an ioredis client: new Redis(url) or new Cluster(nodes)`, { field });
}

/**
 * Commands on one Redis, by a client of the host or one of our own. Commands that a lost connection
 * left unanswered are sent again by ioredis when it is back, so they must bear to run twice.
 */
export class RedisConnection {
  readonly #target: RedisTarget;
  readonly #timeoutMs: number;
  readonly #open: () => Promise<RedisClient>;
  readonly #replicated: () => Promise<RedisClient>;
  readonly #listeners: Set<() => void> = new Set();
  readonly #disturbed: () => void = () => {
    for (const listener of this.#listeners) listener();
  };
  #client: RedisClient | undefined;
  #own: RedisSubscriberClient | undefined;
  #writer: RedisSubscriberClient | undefined;
  #failure: Error | undefined;
  #closed = false;

  /** @param timeoutMs how long our own client waits for a connection or for an answer before it connects again */
  constructor(target: RedisTarget, timeoutMs: number) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    // What a connection brings must not run inside the call that happened to open it.
    this.#open = lazy(() => detach(() => this.#connect()));
    this.#replicated = lazy(() => detach(() => this.#duplicate()));
  }

  /** Why our own client has no connection; undefined while it has one. */
  get lastFailure(): Error | undefined {
    return this.#failure;
  }

  /** What says most about a failure: ioredis tells that it gave up, and our own client knows what it gave up on. */
  reasonOf(failure: unknown): unknown {
    const gaveUp = failure === undefined || (failure instanceof Error && failure.name === 'MaxRetriesPerRequestError');
    return gaveUp ? (this.#failure ?? failure) : failure;
  }

  async client(): Promise<RedisClient> {
    return this.#client ?? this.#open();
  }

  async command(name: string, ...args: RedisArgument[]): Promise<unknown> {
    const client = this.#client ?? (await this.#open());
    return client.call(name, args);
  }

  /** Runs a script; sends its text only to a server that does not know it. */
  async run(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    const client = this.#client ?? (await this.#open());
    try {
      return await client.call('EVALSHA', [script.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return client.call('EVAL', [script.lua, keys.length, ...keys, ...args]);
    }
  }

  /**
   * {@link RedisConnection.run}, then WAIT on the same connection until that many replicas have it. It has
   * a connection of its own: WAIT holds up everything behind it.
   *
   * @throws ConnectionError when fewer have it in time; the script did run
   */
  async runReplicated(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    { replicas, timeoutMs }: { readonly replicas: number; readonly timeoutMs: number },
  ): Promise<unknown> {
    const client = await this.#replicated();
    const wait = ['wait', replicas, timeoutMs];
    let answers = await client.pipeline([['evalsha', script.sha, keys.length, ...keys, ...args], wait]).exec();
    if (isUnknownScript(answers?.[0]?.[0])) {
      answers = await client.pipeline([['eval', script.lua, keys.length, ...keys, ...args], wait]).exec();
    }
    const [ran, waited] = answers ?? [];
    if (ran?.[0]) {
      // Unlike a pipeline, a single command teaches the client of a cluster where a slot has moved.
      if (/^(?:MOVED|ASK)\b/.test(ran[0].message)) await client.call('EXISTS', [keys[0] ?? '']);
      throw ran[0];
    }
    if (waited?.[0]) throw waited[0];
    const reached = Number(waited?.[1] ?? 0);
    if (reached < replicas) {
      throw new ConnectionError(`Redis has it, but ${reached} of ${replicas} replicas (waitReplicas) had it in time`);
    }
    return ran?.[1];
  }

  /** A client of its own, for subscriptions; the caller disconnects it. */
  async subscriber({ sharded }: { readonly sharded: boolean }): Promise<RedisSubscriberClient> {
    const client = await this.client();
    return duplicateOf(
      client,
      client.isCluster
        ? { shardedSubscribers: sharded }
        : { autoResubscribe: false, enableReadyCheck: false, maxRetriesPerRequest: 0, retryStrategy: reconnectDelay },
    );
  }

  /** Calls `listener` when commands may have been lost or sent again. The returned function takes it back. */
  onDisturbed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends our own connection at once; leaves a client of the host as it was. */
  disconnect(): void {
    this.#closed = true;
    this.#listeners.clear();
    for (const event of disturbances) this.#client?.off(event, this.#disturbed);
    this.#own?.disconnect();
    this.#writer?.disconnect();
  }

  async #duplicate(): Promise<RedisClient> {
    this.#writer = duplicateOf(await this.client(), {});
    if (this.#closed) this.#writer.disconnect();
    return this.#writer;
  }

  async #connect(): Promise<RedisClient> {
    const client = this.#target.client ?? (await this.#make());
    for (const event of disturbances) client.on(event, this.#disturbed);
    if (this.#closed) this.disconnect();
    this.#client = client;
    return client;
  }

  async #make(): Promise<RedisClient> {
    const { Redis } = await loadRedis();
    const redis = new Redis(this.#target.url ?? '', {
      lazyConnect: true,
      connectTimeout: this.#timeoutMs,
      socketTimeout: this.#timeoutMs,
      disconnectTimeout: disconnectMs,
      maxRetriesPerRequest: 3,
      retryStrategy: reconnectDelay,
    });
    // Without a listener ioredis writes to the console.
    redis.on('error', (error: Error) => {
      this.#failure = error;
    });
    redis.on('ready', () => {
      this.#failure = undefined;
    });
    redis.connect().catch(ignore);
    this.#own = redis;
    return redis;
  }
}

/** Another client with the same settings but for these, which connects at once. */
function duplicateOf(client: RedisClient, settings: Readonly<Record<string, unknown>>): RedisSubscriberClient {
  const duplicate = client.duplicate as (...args: unknown[]) => RedisSubscriberClient;
  const options = { ...settings, lazyConnect: true };
  const made = client.isCluster ? duplicate.call(client, [], options) : duplicate.call(client, options);
  made.on('error', ignore);
  made.connect().catch(ignore);
  return made;
}

/** ioredis waits so long for the end of a connection, also of one that is gone, and holds the process meanwhile. */
export const disconnectMs = 100;

/** Milliseconds before the next attempt: 50, 100, ... at most a second, of which up to half by chance. */
function reconnectDelay(attempt: number): number {
  return Math.min(attempt * 50, 1_000) * (0.5 + Math.random() / 2);
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function ignore(): void {}
