import { type CallOptions, CallScope, type Closeable, type Logger } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { DriverNotification } from '../../drivers/postgres/index.js';
import { fullJitter } from '../../resilience/backoff.js';
import { quoteIdentifier } from '../sql/identifier.js';
import { connectFailure } from './failure.js';
import type { ListenConnection } from './listen-connection.js';

/** One message on a channel. */
export interface Notification {
  readonly channel: string;
  /** As `notify` was given it, an empty text without one. */
  readonly payload: string;
}

/** Settings of one subscription. */
export interface ChannelListenOptions {
  /** Called when the connection broke: from now until `onReconnect`, notifications are lost. */
  readonly onDisconnect?: (error: unknown) => void;
  /** Called when listening goes on after a break. Look up what was missed meanwhile. */
  readonly onReconnect?: () => void;
}

/** @throws ConfigurationError */
export function checkListening(channel: unknown, handler: unknown, options: ChannelListenOptions & CallOptions): void {
  is.text(channel, 'listen: the channel');
  is.function(handler, 'listen: the handler');
  checkOptions<ChannelListenOptions & CallOptions>('listen', options, {
    onDisconnect: is.function,
    onReconnect: is.function,
    signal: is.anything,
    timeoutMs: is.anything,
  });
}

/** A subscription. Closing the last one ends the connection. */
export interface ChannelSubscription extends Closeable {
  readonly channel: string;
}

/** One handler of a channel, and what it wants to know. */
export interface ChannelHandler extends ChannelListenOptions {
  readonly handle: (notification: Notification) => unknown;
}

const longestPauseMs = 5_000;
const firstPauseMs = 50;
/** A connection that is silent may be half open: it is asked this often, and given this long to answer. */
const probeEveryMs = 15_000;
const probeMs = 5_000;

/**
 * Listens to channels on one connection of its own, and makes a new one when it breaks, for as long as
 * somebody listens.
 */
export class Listener {
  readonly #open: () => Promise<ListenConnection>;
  readonly #target: string;
  readonly #logger: Logger;
  readonly #channels: Map<string, Set<ChannelHandler>> = new Map();
  #life: CallScope = new CallScope('listen');
  #client: ListenConnection | undefined;
  #connecting: Promise<ListenConnection> | undefined;
  #probe: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(open: () => Promise<ListenConnection>, target: string, logger: Logger) {
    this.#open = open;
    this.#target = target;
    this.#logger = logger;
  }

  /** Settles when the server has taken the subscription. The returned function ends it. */
  async add(channel: string, handler: ChannelHandler): Promise<() => Promise<void>> {
    const statement = `listen ${quoteIdentifier(channel)}`;
    const handlers = this.#channels.get(channel) ?? new Set();
    handlers.add(handler);
    this.#channels.set(channel, handlers);
    try {
      const client = this.#client ?? (await this.#connect());
      await send(client, statement);
    } catch (error) {
      await this.#remove(channel, handler);
      throw connectFailure(error, this.#target);
    }
    return () => this.#remove(channel, handler);
  }

  /** Ends the connection and all subscriptions. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#channels.clear();
    await this.#disconnect();
  }

  #connect(): Promise<ListenConnection> {
    this.#connecting ??= this.#dial().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #dial(): Promise<ListenConnection> {
    const client = await this.#open();
    let ended = false;
    const end = (error?: Error): void => {
      if (ended) return;
      ended = true;
      if (this.#client === client) this.#broke(error);
    };
    client.on('error', end);
    client.on('end', () => end());
    client.on('notification', (message) => this.#deliver(message));
    await client.connect();
    if (this.#closed || this.#channels.size === 0) {
      await client.end();
      throw new Error('nobody listens any more');
    }
    for (const channel of this.#channels.keys()) await send(client, `listen ${quoteIdentifier(channel)}`);
    this.#client = client;
    this.#watch(client);
    return client;
  }

  #broke(error: Error | undefined): void {
    this.#client = undefined;
    clearInterval(this.#probe);
    if (this.#closed || this.#channels.size === 0) return;
    const cause = connectFailure(error ?? new Error('the server ended the connection'), this.#target);
    this.#logger.warn({ error: cause }, 'Listening was interrupted');
    this.#tell((handler) => handler.onDisconnect?.(cause));
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    for (let attempt = 1; !this.#closed && this.#channels.size > 0; attempt++) {
      try {
        await this.#connect();
        this.#logger.info({ attempt }, 'Listening goes on');
        this.#tell((handler) => handler.onReconnect?.());
        return;
      } catch (error) {
        this.#logger.debug({ error, attempt }, 'Listening could not go on yet');
        const pause = fullJitter(attempt, longestPauseMs, { baseDelayMs: firstPauseMs });
        await this.#life.sleep(pause).catch(() => undefined);
      }
    }
  }

  #deliver({ channel, payload = '' }: DriverNotification): void {
    for (const handler of [...(this.#channels.get(channel) ?? [])]) {
      this.#guard(() => handler.handle({ channel, payload }));
    }
  }

  #tell(say: (handler: ChannelHandler) => unknown): void {
    for (const handlers of [...this.#channels.values()]) {
      for (const handler of [...handlers]) this.#guard(() => say(handler));
    }
  }

  #guard(work: () => unknown): void {
    const report = (error: unknown): void => this.#logger.error({ error }, 'A notification handler failed');
    try {
      Promise.resolve(work()).catch(report);
    } catch (error) {
      report(error);
    }
  }

  async #remove(channel: string, handler: ChannelHandler): Promise<void> {
    const handlers = this.#channels.get(channel);
    if (!handlers?.delete(handler) || handlers.size > 0) return;
    this.#channels.delete(channel);
    if (this.#channels.size === 0) return await this.#disconnect();
    if (this.#client) await send(this.#client, `unlisten ${quoteIdentifier(channel)}`).catch(() => undefined);
  }

  async #disconnect(): Promise<void> {
    clearInterval(this.#probe);
    this.#life.cancel(new Error('nobody listens any more'));
    this.#life = new CallScope('listen');
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  #watch(client: ListenConnection): void {
    clearInterval(this.#probe);
    this.#probe = setInterval(() => {
      const late = setTimeout(() => client.connection?.stream.destroy(), probeMs);
      late.unref();
      send(client, 'select 1').then(
        () => clearTimeout(late),
        () => clearTimeout(late),
      );
    }, probeEveryMs);
    this.#probe.unref();
  }
}

function send(client: ListenConnection, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query({ text, values: [], queryMode: 'extended' }, (error) => (error ? reject(error) : resolve()));
  });
}
