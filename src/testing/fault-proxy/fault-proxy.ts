import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Closeable, ClosedError, ConfigurationError, ConnectionError } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { Conditions, Direction } from './conditions.js';
import { Lane } from './lane.js';

/** Where a {@link FaultProxy} forwards to. */
export interface FaultProxyOptions {
  /** The real service: its URL, or host and port. */
  readonly target: string | URL | { readonly host: string; readonly port: number };
}

/** What passed through a {@link FaultProxy}. */
export interface FaultProxyConnections {
  readonly open: number;
  readonly accepted: number;
  /** Ended by {@link FaultProxy.cut}. */
  readonly cut: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

interface Link {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly up: Lane;
  readonly down: Lane;
}

/**
 * A TCP proxy on 127.0.0.1 that breaks the network on command. Point the client at `url`, then cut,
 * refuse, freeze, delay or throttle; `heal` ends all faults. Faults hold for connections that are open and for
 * those to come. Bytes are never lost, changed or reordered, except by `cut`.
 *
 * @example
 * await using proxy = await FaultProxy.start({ target: services.redis.url });
 * await using events = new EventStream({ url: proxy.url });
 * proxy.freeze({ direction: 'down' }); // requests arrive, answers do not
 */
export class FaultProxy implements Closeable {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #targetURL: URL;
  readonly #conditions: { readonly up: Conditions; readonly down: Conditions } = {
    up: { frozen: false, delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY },
    down: { frozen: false, delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY },
  };
  readonly #links: Set<Link> = new Set();
  readonly #ended: { bytesUp: number; bytesDown: number } = { bytesUp: 0, bytesDown: 0 };
  #server: Server | undefined;
  #port = 0;
  #closed = false;
  #accepted = 0;
  #cut = 0;

  private constructor({ target }: FaultProxyOptions) {
    this.#targetURL = targetURL(target);
    this.#target = addressOf(this.#targetURL);
  }

  /** @throws ConfigurationError when the target is none, or has no port and its scheme has no usual one */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    checkOptions('FaultProxy', options, { target: is.required(is.anything) });
    const proxy = new FaultProxy(options);
    await proxy.#listen();
    return proxy;
  }

  readonly host: string = '127.0.0.1';

  get port(): number {
    return this.#port;
  }

  /** The target's URL with the proxy's address, credentials kept; `tcp:` for a target given by host and port. */
  get url(): string {
    const url = new URL(this.#targetURL);
    url.hostname = this.host;
    url.port = String(this.#port);
    return url.href;
  }

  get connections(): FaultProxyConnections {
    const links = [...this.#links];
    return {
      open: links.length,
      accepted: this.#accepted,
      cut: this.#cut,
      bytesUp: links.reduce((sum, { up }) => sum + up.passedBytes, this.#ended.bytesUp),
      bytesDown: links.reduce((sum, { down }) => sum + down.passedBytes, this.#ended.bytesDown),
    };
  }

  /** Resets (RST) all connections of this moment on both sides; what was on the way is lost. New ones work. Gives their number. */
  cut(): number {
    const links = [...this.#links];
    for (const { client, upstream } of links) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    this.#cut += links.length;
    return links.length;
  }

  /** New connections are refused (ECONNREFUSED), as by a server that is not there. Open ones go on. */
  refuse(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /**
   * Holds everything back, ends and resets too: a network that drops packets, a half-open
   * connection. New connections are accepted and silent.
   */
  freeze({ direction = 'both' }: { readonly direction?: Direction } = {}): void {
    this.#change(direction, { frozen: true });
  }

  /** Lets pass what was held back, in order. */
  thaw({ direction = 'both' }: { readonly direction?: Direction } = {}): void {
    this.#change(direction, { frozen: false });
  }

  /** Adds latency: each piece passes `ms` after it arrived. Throughput stays. 0 ends it. */
  delay(ms: number, { direction = 'both' }: { readonly direction?: Direction } = {}): void {
    if (!(ms >= 0 && ms < 2 ** 31)) {
      throw new ConfigurationError(`The delay must be 0 to 2147483647 ms, got ${ms}; to hold everything back, freeze`, {
        field: 'ms',
      });
    }
    this.#change(direction, { delayMs: ms });
  }

  /** Limits the throughput of each connection, in bytes per second; what is beyond waits. `Infinity` ends it. */
  throttle(bytesPerSecond: number, { direction = 'both' }: { readonly direction?: Direction } = {}): void {
    if (!(bytesPerSecond >= 1)) {
      throw new ConfigurationError(
        `The throughput must be 1 byte per second or more, got ${bytesPerSecond}; to hold everything back, freeze`,
        { field: 'bytesPerSecond' },
      );
    }
    this.#change(direction, { bytesPerSecond });
  }

  /**
   * Ends all faults: accepts again on the same port, thaws, and lets what was delayed pass at once.
   *
   * @throws ConnectionError when another program took the port while connections were refused
   * @throws ClosedError when the proxy is closed, also meanwhile
   */
  async heal(): Promise<void> {
    if (this.#closed) throw new ClosedError('FaultProxy');
    this.#change('both', { frozen: false, delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY });
    if (!this.#server) await this.#listen();
  }

  /** Ends all connections and stops listening. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.refuse();
    const closing = [...this.#links].flatMap(({ client, upstream }) => [client, upstream]);
    await Promise.all(closing.map((socket) => (socket.closed ? undefined : once(socket.destroy(), 'close'))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#server = server;
    try {
      server.listen({ host: this.host, port: this.#port });
      // One that is closed before it listens never does.
      await Promise.race([once(server, 'listening'), once(server, 'close')]);
    } catch (cause) {
      this.#server = undefined;
      throw new ConnectionError(`The proxy cannot listen on port ${this.#port}: somebody took it meanwhile`, { cause });
    }
    if (this.#closed) throw new ClosedError('FaultProxy');
    const address = server.address();
    if (typeof address === 'object' && address) this.#port = address.port;
  }

  #accept(client: Socket): void {
    this.#accepted++;
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const up = new Lane(client, upstream, this.#conditions.up);
    const down = new Lane(upstream, client, this.#conditions.down);
    const link = { client, upstream, up, down };
    this.#links.add(link);
    const onClose = (): void => {
      if (!client.closed || !upstream.closed || !this.#links.delete(link)) return;
      this.#ended.bytesUp += up.passedBytes;
      this.#ended.bytesDown += down.passedBytes;
    };
    client.on('close', onClose);
    upstream.on('close', onClose);
  }

  #change(direction: Direction, change: Partial<Conditions>): void {
    isDirection(direction, 'direction');
    for (const side of direction === 'both' ? (['up', 'down'] as const) : [direction]) {
      Object.assign(this.#conditions[side], change);
      for (const link of this.#links) link[side].pump();
    }
  }
}

const isDirection = is.oneOf('up', 'down', 'both');

/** For targets whose URL names no port. */
const usualPorts: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'mongodb:': 27_017,
  'nats:': 4222,
  'postgres:': 5432,
  'postgresql:': 5432,
  'redis:': 6379,
  'rediss:': 6379,
  'ws:': 80,
  'wss:': 443,
};

/** The text is not shown when it is wrong: a URL may hold a password. */
function targetURL(target: FaultProxyOptions['target']): URL {
  const { host, port } = Object(target) as { readonly host?: unknown; readonly port?: unknown };
  const byAddress = typeof host === 'string' && typeof port === 'number';
  const text = byAddress ? `tcp://${host.includes(':') ? `[${host}]` : host}:${port}` : String(target);
  if (URL.canParse(text)) return new URL(text);
  throw new ConfigurationError(
    'The target of a FaultProxy must be a URL such as redis://127.0.0.1:6379, or { host, port }',
    { field: 'FaultProxy.target' },
  );
}

function addressOf({ protocol, hostname, port }: URL): { host: string; port: number } {
  const number = Number(port) || usualPorts[protocol];
  if (number !== undefined && hostname) return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: number };
  throw new ConfigurationError(`The target of a FaultProxy needs a host and a port; ${protocol} has no usual one`, {
    field: 'FaultProxy.target',
  });
}
