import { detach } from '../../core/index.js';
import type { RedisConnection, RedisSubscriberClient } from './redis-connection.js';

/** A time in which messages may have been missed, in milliseconds since the epoch. */
export interface RedisGap {
  readonly from: number;
  readonly to: number;
}

/** How a {@link RedisSubscriber} listens. */
export interface RedisSubscriberOptions {
  /** SSUBSCRIBE (Redis 7), which on a cluster reaches only the node of the channel. */
  readonly sharded: boolean;
  /** Called once listening works again after it was interrupted. Must not throw. */
  readonly onGap?: (gap: RedisGap) => void;
}

type Receive = (message: string) => void;

/** How often a silent connection is asked whether it still works, and how long it may take to answer. */
const heartbeatMs = 5_000;
const resubscribeDelayMs = 100;

/**
 * One connection for all subscriptions of an owner. It subscribes again by itself when the connection
 * was lost, finds out when a connection is dead without saying so, and tells when messages may have
 * been missed.
 */
export class RedisSubscriber {
  readonly #connection: RedisConnection;
  readonly #options: RedisSubscriberOptions;
  readonly #receivers: Map<string, Set<Receive>> = new Map();
  #client: Promise<RedisSubscriberClient> | undefined;
  #ready: RedisSubscriberClient | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #interruptedAt: number | undefined;
  #closed = false;

  constructor(connection: RedisConnection, options: RedisSubscriberOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  get channels(): readonly string[] {
    return [...this.#receivers.keys()];
  }

  /** Resolves once messages arrive. The returned function ends it, and unsubscribes with the last receiver. */
  async add(channel: string, receive: Receive): Promise<() => Promise<void>> {
    const receivers = this.#receivers.get(channel) ?? new Set();
    this.#receivers.set(channel, receivers.add(receive));
    const remove = async (): Promise<void> => {
      receivers.delete(receive);
      if (receivers.size > 0 || this.#receivers.get(channel) !== receivers) return;
      this.#receivers.delete(channel);
      await this.#send('unsubscribe', [channel]);
    };
    try {
      this.#client ??= detach(() => this.#open());
      await this.#send('subscribe', [channel]);
    } catch (error) {
      await remove().catch(() => undefined);
      throw error;
    }
    return remove;
  }

  /** Ends everything at once. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#retry);
    this.#receivers.clear();
    this.#ready?.disconnect();
  }

  async #open(): Promise<RedisSubscriberClient> {
    try {
      const client = await this.#connection.subscriber(this.#options);
      this.#ready = client;
      if (this.#closed) client.disconnect();
      this.#watch(client);
      return client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  #watch(client: RedisSubscriberClient): void {
    client.on(this.#options.sharded ? 'smessage' : 'message', (channel, message) => {
      for (const receive of this.#receivers.get(String(channel)) ?? []) receive(String(message));
    });
    // Of a cluster each shard has a connection of its own, which the client replaces by itself.
    for (const event of ['close', '-subscriber', '-node']) client.on(event, () => this.#interrupted());
    for (const event of ['ready', 'subscribersReady', '+subscriber']) client.on(event, () => this.#resubscribe());
    if (client.isCluster) return;
    this.#heartbeat = setInterval(() => this.#beat(client), heartbeatMs);
    this.#heartbeat.unref();
  }

  #interrupted(): void {
    if (this.#receivers.size > 0) this.#interruptedAt ??= Date.now();
  }

  #resubscribe(): void {
    const from = this.#interruptedAt;
    if (from === undefined || this.#closed) return;
    clearTimeout(this.#retry);
    void this.#send('subscribe', this.channels).then(
      () => {
        if (this.#interruptedAt !== from) return;
        this.#interruptedAt = undefined;
        this.#options.onGap?.({ from, to: Math.max(from, Date.now()) });
      },
      () => {
        // Without a new connection the client tells when it has one.
        this.#retry = setTimeout(() => this.#resubscribe(), resubscribeDelayMs);
        this.#retry.unref();
      },
    );
  }

  /** A connection that was dropped by the network is open and silent for ever. */
  #beat(client: RedisSubscriberClient): void {
    const dead = setTimeout(() => client.disconnect(true), heartbeatMs - 1_000);
    dead.unref();
    const alive = (): void => clearTimeout(dead);
    client.ping().then(alive, alive);
  }

  async #send(verb: 'subscribe' | 'unsubscribe', channels: readonly string[]): Promise<void> {
    const client = await this.#client;
    if (!client || this.#closed) return;
    const command = this.#options.sharded ? (`s${verb}` as const) : verb;
    // One at a time: on a cluster, channels of one command must share a slot.
    if (this.#options.sharded) for (const channel of channels) await client[command](channel);
    else if (channels.length > 0) await client[command](...channels);
  }
}
