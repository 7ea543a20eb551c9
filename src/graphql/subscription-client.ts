import { randomUUID } from 'node:crypto';
import type { Client } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { CallScope, ClosedError, detach, ProtocolError, systemClock } from '../core/index.js';
import { lazy } from '../core/internal.js';
import { defaultMaxResponseBytes } from '../drivers/http/index.js';
import { fullJitter } from '../resilience/backoff.js';
import type { ExecutionResult } from './execution-result.js';
import type { GraphQLSettings } from './graphql-options.js';
import type { HeaderSource, IssuedHeaders } from './header-source.js';
import { isDenied, mayReconnect, socketFailure } from './socket-failure.js';
import type { SubscriptionFeed } from './subscription.js';
import type { SubscriptionOptions } from './subscription-options.js';

/** What is subscribed to. */
export interface SubscribeRequest {
  /** As it reads in errors. */
  readonly subject: string;
  readonly payload: {
    readonly query: string;
    readonly operationName?: string;
    readonly variables?: Record<string, unknown>;
  };
  /** Told after the connection was lost and is subscribed again: events between the two are gone. */
  readonly onReconnect?: (() => void) | undefined;
}

const longestDelayMs = 30_000;
const defaultMaxAttempts = 10;
const normalClosure = 1000;

/**
 * One connection for all subscriptions (GraphQL over WebSocket by graphql-ws, on ws): opened for the first,
 * closed after the last, opened and subscribed again when it is lost.
 */
export class SubscriptionClient {
  readonly #url: string;
  readonly #headers: HeaderSource;
  readonly #options: SubscriptionOptions;
  readonly #maxMessageBytes: number;
  readonly #life: CallScope = new CallScope('the subscriptions');
  readonly #client: () => Promise<Client>;
  readonly #waking: Set<() => void> = new Set();
  readonly #onReconnect: Set<() => void> = new Set();
  #socket: WebSocket | undefined;
  #issued: IssuedHeaders | undefined;
  #denied: IssuedHeaders | undefined;
  #failure: { readonly error: unknown } | undefined;
  #messageBytes = 0;
  #active = 0;
  #reconnects = 0;
  /** Connections in a row that the server closed as if all was done. */
  #normalClosures = 0;
  #heartbeat: (() => void) | undefined;

  constructor({ subscriptionUrl, subscriptions, headers, maxResponseBytes }: GraphQLSettings) {
    this.#url = subscriptionUrl;
    this.#headers = headers;
    this.#options = subscriptions;
    this.#maxMessageBytes = maxResponseBytes ?? defaultMaxResponseBytes;
    this.#client = lazy(() => this.#create());
  }

  /** How often a lost connection was opened again. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Begins a subscription; the function it gives ends it. */
  async subscribe(request: SubscribeRequest, feed: SubscriptionFeed): Promise<() => void> {
    const client = await this.#client();
    if (this.#life.cancelled) throw this.#life.reason;
    let stop: () => void = () => undefined;
    let ended = false;
    let refusals = 0;
    const end = (): void => {
      if (ended) return;
      ended = true;
      this.#active -= 1;
      if (request.onReconnect) this.#onReconnect.delete(request.onReconnect);
      if (this.#active === 0) this.#wake();
    };
    const start = (): void => {
      stop = client.subscribe(request.payload, {
        next: (result) => {
          refusals = 0;
          this.#normalClosures = 0;
          feed.next(result as ExecutionResult, this.#messageBytes);
        },
        error: (error) => {
          // Once with new credentials: the same ones would be refused again.
          if (!ended && refusals === 0 && isDenied(error) && this.#headers.canRefresh) {
            refusals += 1;
            this.#denied = this.#issued;
            start();
            return;
          }
          end();
          feed.error(this.#failureOf(error, request.subject));
        },
        complete: () => {
          end();
          feed.complete();
        },
      });
    };
    this.#active += 1;
    if (request.onReconnect) this.#onReconnect.add(request.onReconnect);
    // The connection is everybody's: it must not end with the context of who opened it.
    detach(start);
    return () => {
      end();
      stop();
    };
  }

  /** Ends the connection. */
  async close(name: string, remainingMs: number): Promise<void> {
    this.#life.cancel(new ClosedError(name));
    this.#wake();
    this.#stopHeartbeat();
    const socket = this.#socket;
    if (!socket || socket.readyState === socket.CLOSED) return;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.close(normalClosure);
    using wait = new CallScope('closing', { timeoutMs: Math.max(1, remainingMs / 2) });
    await wait.run(() => closed).catch(() => socket.terminate());
  }

  async #create(): Promise<Client> {
    const [{ createClient }, { WebSocket: Socket }] = await Promise.all([import('graphql-ws'), import('ws')]);
    const own = this;
    const { reconnect = {}, connectTimeoutMs = 10_000, heartbeatMs = 30_000 } = this.#options;
    const client = createClient({
      url: () => this.#prepareConnection(),
      connectionParams: () => this.#connectionParams(),
      webSocketImpl: class extends Socket {
        constructor(url: string, protocol: string) {
          super(url, protocol, {
            headers: own.#issued?.fields ?? {},
            handshakeTimeout: finite(connectTimeoutMs),
            maxPayload: finite(own.#maxMessageBytes),
            perMessageDeflate: false,
          });
          own.#socket = this;
          // Before the client's own listener, which it sets later.
          this.on('message', (data: Buffer) => {
            own.#messageBytes = data.byteLength;
          });
        }
      },
      connectionAckWaitTimeout: finite(connectTimeoutMs),
      keepAlive: heartbeatMs === false ? 0 : heartbeatMs,
      retryAttempts: reconnect === false ? 0 : (reconnect.maxAttempts ?? defaultMaxAttempts),
      retryWait: (retries) => this.#pause(retries + 1),
      shouldRetry: (ending) => !this.#life.cancelled && mayReconnect(ending),
      generateID: () => randomUUID(),
      on: {
        connected: (_socket, _payload, again) => {
          if (!again) return;
          this.#reconnects += 1;
          for (const listener of [...this.#onReconnect]) quietly(listener);
        },
        closed: (event) => {
          this.#stopHeartbeat();
          if ((event as { code?: unknown }).code === normalClosure && this.#active > 0) this.#normalClosures += 1;
        },
        ping: (received) => {
          if (!received && heartbeatMs !== false) this.#awaitSign(client, heartbeatMs);
        },
        pong: (received) => {
          if (received) this.#stopHeartbeat();
        },
      },
    });
    return client;
  }

  /** Never rejects: the client would neither catch it nor go on. What went wrong is told by `connectionParams`. */
  async #prepareConnection(): Promise<string> {
    this.#failure = undefined;
    try {
      if (this.#normalClosures > 0) await this.#slowDown();
      const denied = this.#denied;
      this.#denied = undefined;
      this.#issued = await (denied ? this.#headers.refreshed(denied, this.#life) : this.#headers.current(this.#life));
    } catch (error) {
      this.#failure = { error };
    }
    return this.#url;
  }

  #connectionParams(): Record<string, unknown> | undefined {
    if (this.#failure) throw this.#failure.error;
    const { fields = {} } = this.#issued ?? {};
    const params = this.#options.connectionParams?.(fields) ?? fields;
    return Object.keys(params).length > 0 ? { ...params } : undefined;
  }

  /** Errors of GraphQL, in their array, and of the function that gives the headers are passed on as they are. */
  #failureOf(error: unknown, subject: string): unknown {
    if (this.#life.cancelled) return this.#life.reason;
    return Array.isArray(error) || error === this.#failure?.error ? error : socketFailure(error, subject);
  }

  /** The client takes a normal closure for no failure and connects again at once, without end. */
  async #slowDown(): Promise<void> {
    const { reconnect } = this.#options;
    const maxAttempts = reconnect === false ? 0 : (reconnect?.maxAttempts ?? defaultMaxAttempts);
    if (this.#normalClosures > maxAttempts)
      throw new ProtocolError('the server closes every connection as soon as it is open');
    await this.#pause(this.#normalClosures);
  }

  /** Ends early when nobody is subscribed any more. */
  #pause(attempt: number): Promise<void> {
    const { reconnect } = this.#options;
    const delayMs = fullJitter(attempt, longestDelayMs, reconnect === false ? {} : (reconnect ?? {}));
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#waking.delete(wake);
        resolve();
      };
      const cancel = systemClock.schedule(wake, delayMs);
      this.#waking.add(wake);
      if (this.#life.cancelled || this.#active === 0) wake();
    });
  }

  #wake(): void {
    for (const wake of [...this.#waking]) wake();
  }

  /** A connection that is asked and stays silent is given up, as if it had been closed. */
  #awaitSign(client: Client, heartbeatMs: number): void {
    this.#stopHeartbeat();
    const socket = this.#socket;
    this.#heartbeat = systemClock.schedule(() => {
      client.terminate();
      socket?.terminate();
    }, heartbeatMs);
  }

  #stopHeartbeat(): void {
    this.#heartbeat?.();
    this.#heartbeat = undefined;
  }
}

/** A listener of the host that throws is its own matter. */
function quietly(listener: () => void): void {
  try {
    listener();
  } catch {
    // Nothing of ours depends on it.
  }
}

/** ws and graphql-ws write "no limit" as 0. */
function finite(value: number): number {
  return value === Number.POSITIVE_INFINITY ? 0 : value;
}
