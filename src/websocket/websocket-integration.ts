import {
  type CallOptions,
  type CallScope,
  type Closeable,
  ClosedError,
  ConfigurationError,
  type Health,
  type HealthCheck,
  Lifecycle,
  openScope,
  QueueFullError,
  spanKind,
  TimeoutError,
  TypedEmitter,
} from '../core/index.js';
import { checkOptions, correlationIdHere, describeError, is } from '../core/internal.js';
import { closeChecks, type WebSocketCloseOptions } from './close-options.js';
import type { FrameData } from './codec.js';
import type { Connection } from './connection.js';
import { ConnectionKeeper, type KeeperListener } from './connection-keeper.js';
import { Correlator } from './correlation.js';
import { DisconnectedError } from './disconnected-error.js';
import { MessageCodec } from './message-codec.js';
import { MessageStream } from './message-stream.js';
import { PendingRequests } from './pending-requests.js';
import { SendQueue } from './send-queue.js';
import type { WebSocketState } from './state.js';
import { type Subscription, type SubscriptionMessages, Subscriptions } from './subscriptions.js';
import type { WebSocketEvents } from './websocket-events.js';
import type { CheckedWebSocketOptions, WebSocketIntegrationOptions } from './websocket-options.js';
import { type NormalSettings, positionalOptions, settingsOf } from './websocket-settings.js';
import type { WebSocketStats } from './websocket-stats.js';
import type { WSClient, WSClientOptions } from './ws-options.js';

const connectTimeoutMs = 60_000;
const pingTimeoutMs = 5_000;
const sentAlready: Promise<void> = Promise.resolve();

/**
 * A WebSocket that stays: it comes back after failures with growing random pauses, notices a peer that
 * fell silent, keeps what you send in order and within bounds meanwhile, renews subscriptions, and ends
 * when you say so. Delivery is at most once: what was handed to a connection that then breaks may be
 * lost. Use {@link WebSocketIntegration.request} where an answer must tell.
 *
 * The positional form gives up after five attempts in a row; with options it goes on until told otherwise.
 *
 * @example
 * await using feed = new WebSocketIntegration({ url: 'wss://feed.example/v1', token: () => freshToken(), schema: Tick });
 * feed.subscribe('btc', { open: { op: 'subscribe', channel: 'btc' }, close: { op: 'unsubscribe', channel: 'btc' } });
 * await feed.connect();
 * for await (const tick of feed) console.log(tick.price);
 */
export class WebSocketIntegration<In = unknown, Out = unknown>
  extends TypedEmitter<WebSocketEvents<In>>
  implements Closeable, HealthCheck, AsyncIterable<In>
{
  readonly #settings: NormalSettings<In, Out>;
  readonly #lifecycle: Lifecycle;
  readonly #keeper: ConnectionKeeper;
  readonly #queue: SendQueue;
  readonly #codec: MessageCodec<In, Out>;
  readonly #correlator: Correlator<In, Out>;
  readonly #requests: PendingRequests<In>;
  readonly #subscriptions: Subscriptions<Out>;
  readonly #streams: Set<MessageStream<In>> = new Set();
  readonly #counts = {
    connections: 0,
    sent: 0,
    received: 0,
    receivedBytes: 0,
    decodeErrors: 0,
    droppedOut: 0,
    droppedIn: 0,
  };
  #closing: Promise<void> | undefined;

  // In this order: the first overload gives functions inside of the options their types.
  constructor(options: CheckedWebSocketOptions<In, Out>);
  constructor(options: WebSocketIntegrationOptions<In, Out>);
  constructor(url: string | URL, wsOptions?: WSClientOptions);
  /** @throws ConfigurationError for any wrong or unknown option */
  constructor(
    first: string | URL | CheckedWebSocketOptions<In, Out> | WebSocketIntegrationOptions<In, Out>,
    wsOptions?: WSClientOptions,
  ) {
    super();
    const positional = typeof first !== 'object' || first instanceof URL;
    const options = positional ? (positionalOptions(first, wsOptions) as WebSocketIntegrationOptions<In, Out>) : first;
    this.#settings = settingsOf(options);
    const { name, keeper, queue, correlation, maxRequests } = this.#settings;
    this.#lifecycle = new Lifecycle(`WebSocketIntegration '${name}'`);
    this.#queue = new SendQueue(`send queue of ${name}`, queue);
    this.#codec = new MessageCodec(this.#settings);
    this.#correlator = new Correlator(correlation);
    this.#requests = new PendingRequests(maxRequests);
    this.#subscriptions = new Subscriptions((key, message) => this.#sendOf(key, message));
    this.#keeper = new ConnectionKeeper(keeper, this.#listener());
  }

  get name(): string {
    return this.#settings.name;
  }

  get state(): WebSocketState {
    return this.#keeper.state;
  }

  /** The WebSocket of `ws` while it is open; another one after each reconnection. */
  get client(): WSClient | undefined {
    return this.#keeper.connection?.socket;
  }

  /**
   * Resolves once the connection is open; calls at the same time share one attempt, and an open connection
   * is left alone. Failed attempts are repeated as `reconnect` says, within `timeoutMs` (60 s unless given;
   * `Infinity` for no limit). A `connect` that rejects leaves nothing running.
   *
   * @throws ConnectionError, HandshakeError or DisconnectedError of the last attempt; TimeoutError; ClosedError
   */
  async connect(options: CallOptions = {}): Promise<void> {
    this.#lifecycle.assertOpen();
    using scope = openScope(`connecting to ${this.name}`, { timeoutMs: connectTimeoutMs, ...options });
    try {
      await this.#keeper.open(scope);
    } catch (error) {
      const { lastError } = this.#keeper;
      if (!(error instanceof TimeoutError) || error !== scope.reason || !lastError) throw error;
      // That time is over says less than what kept failing until then.
      const subject = `connecting to ${this.name} (last attempt: ${lastError.message})`;
      throw new TimeoutError(subject, error.timeoutMs, { cause: lastError });
    }
  }

  /**
   * Sends a message, or queues it while there is no connection; it never connects by itself. Resolves when
   * the message was handed to the connection, which is at once unless the connection is slower than you
   * are: await it to go no faster. It may be left unawaited: a rejection is told by `dropped` as well, and
   * is never an unhandled one.
   *
   * @throws ValidationError (the codec refused it, or it is too long), QueueFullError, ConnectionError
   * (given up), ClosedError, TimeoutError or the `signal.reason`
   */
  send(message: Out, options?: CallOptions): Promise<void> {
    let data: FrameData | undefined;
    try {
      this.#lifecycle.assertOpen();
      data = this.#codec.encode(message);
    } catch (error) {
      return this.#drop(Promise.reject(error), undefined);
    }
    const connection = this.#keeper.connection;
    // Without options and outside of a context nothing could cancel it.
    if (options === undefined && this.#canPass(connection) && correlationIdHere() === undefined) {
      connection.send(data);
      this.#counts.sent += 1;
      return sentAlready;
    }
    const frame = data;
    return this.#drop(
      this.#lifecycle.call(`sending to ${this.name}`, options ?? {}, (scope) => this.#push(frame, scope)),
      frame,
    );
  }

  /**
   * Sends a message with an id and resolves with the message that answers it. A request that still waits
   * in the queue survives a reconnection; one that was sent does not.
   *
   * @throws DisconnectedError when the connection ends before the answer; ValidationError for an answer that the
   * schema refuses; TimeoutError; what `send` throws
   * @example const { result } = await rpc.request({ jsonrpc: '2.0', method: 'sum', params: [1, 2] }, { timeoutMs: 2_000 });
   */
  async request(message: Out, options: CallOptions = {}): Promise<In> {
    const { requestTimeoutMs, telemetry } = this.#settings;
    const bounds = { ...options, timeoutMs: options.timeoutMs ?? requestTimeoutMs };
    return this.#lifecycle.call(`request to ${this.name}`, bounds, (scope) => {
      const { message: numbered, id } = this.#correlator.begin(message);
      const data = this.#codec.encode(numbered);
      const attributes = { 'server.address': this.name };
      return telemetry.span({ name: 'websocket request', kind: spanKind.client, attributes }, () =>
        this.#requests.run(id, scope, () => this.#push(data, scope)),
      );
    });
  }

  /**
   * Keeps a subscription at the server: `open` is sent now, if connected, and first thing on every
   * connection to come, in the order of the calls and ahead of the queue. So a login can be the first
   * subscription. A key that is there already is counted, and ends with its last subscriber.
   *
   * @throws ConfigurationError, ClosedError
   */
  subscribe(key: string, messages: SubscriptionMessages<Out>): Subscription {
    this.#lifecycle.assertOpen();
    is.text(key, 'subscribe.key');
    checkOptions('subscribe', messages, { open: is.required(is.anything), close: is.anything });
    if (messages.open === undefined)
      throw new ConfigurationError('subscribe.open must be the message that subscribes', { field: 'subscribe.open' });
    return this.#subscriptions.add(key, messages);
  }

  /**
   * Messages from now on, for one `for await` loop; through reconnections, until `close` or until the
   * server ends with code 1000. Each loop has a bounded buffer of its own (`buffer`). It throws when the connection is given up.
   *
   * @throws ClosedError, TimeoutError or the `signal.reason`
   */
  messages(options: CallOptions = {}): AsyncIterableIterator<In, undefined> {
    this.#lifecycle.assertOpen();
    const scope = openScope(`messages of ${this.name}`, options);
    const stream = new MessageStream<In>(
      `message buffer of ${this.name}`,
      this.#settings.buffer,
      scope,
      () => this.#lose('in', new QueueFullError(`message buffer of ${this.name}`, 'a message was skipped')),
      (ended) => this.#streams.delete(ended),
    );
    if (!scope.cancelled) this.#streams.add(stream);
    return stream;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<In, undefined> {
    return this.messages();
  }

  /** Asks an open connection for a pong. Never rejects. */
  async health(options: CallOptions = {}): Promise<Health> {
    const { state, connection, failures, lastError } = this.#keeper;
    const details = { state, failures, queued: this.#queue.size };
    if (!connection)
      return { status: 'fail', output: lastError ? describeError(lastError) : `not connected (${state})`, details };
    const startedAt = performance.now();
    try {
      using scope = openScope(`ping of ${this.name}`, { timeoutMs: pingTimeoutMs, ...options });
      await scope.run(() => connection.roundTrip());
      return { status: 'pass', latencyMs: performance.now() - startedAt, details };
    } catch (error) {
      return { status: 'fail', output: describeError(error), details };
    }
  }

  stats(): WebSocketStats {
    const { state, failures, connection } = this.#keeper;
    return {
      state,
      failures,
      ...this.#counts,
      queued: { items: this.#queue.size, bytes: this.#queue.bytes },
      bufferedBytes: connection?.bufferedBytes ?? 0,
      requests: this.#requests.size,
      subscriptions: this.#subscriptions.size,
    };
  }

  /**
   * Ends it for good. New calls are refused at once and no attempt goes on; what was sent or asked on an
   * open connection may finish, then the closing handshake, all within `timeoutMs`. Never rejects, so it
   * need not be awaited.
   *
   * @throws ConfigurationError at once, for a code or reason that cannot be sent; nothing is closed then
   */
  close(options: WebSocketCloseOptions = {}): Promise<void> {
    checkOptions('close', options, closeChecks);
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected override onListenerError(error: unknown, listenerOf: string): void {
    this.#settings.telemetry.logger.error({ listenerOf, error }, 'listener failed');
    if (listenerOf !== 'handlerError') this.emit('handlerError', { listenerOf, error });
  }

  async #close({ code = 1000, reason = '', ...options }: WebSocketCloseOptions): Promise<void> {
    const error = new ClosedError(`WebSocketIntegration '${this.name}'`);
    this.#keeper.beginClosing(error);
    if (!this.#keeper.connection) this.#queue.fail(error);
    await this.#lifecycle.close(options, (ms) => this.#keeper.finish(code, reason, ms)).catch(() => undefined);
    this.#keeper.abandon();
    for (const stream of [...this.#streams]) stream.finish();
  }

  #listener(): KeeperListener {
    return {
      message: (data, isBinary) => this.#receive(data, isBinary),
      drained: () => this.#flush(),
      opened: (reconnected) => {
        this.#counts.connections += 1;
        this.#subscriptions.resend();
        this.#flush();
        this.emit('connected', { reconnected });
      },
      failed: (error) => {
        this.#settings.telemetry.logger.warn({ error }, 'connection failed');
        this.emit('error', error);
      },
      disconnected: (ending, next) => {
        this.#requests.failSent(new DisconnectedError(this.name, ending));
        if (this.#lifecycle.closed) this.#queue.fail(new ClosedError(`WebSocketIntegration '${this.name}'`));
        this.emit('disconnected', { ...ending, willReconnect: next !== undefined });
      },
      waiting: (next, error) => this.emit('reconnecting', { ...next, error }),
      abandoned: (error) => {
        this.#queue.fail(error);
        // Code 1000 says that the server is done (RFC 6455 section 7.4.1): the loop has all there is.
        const isDone = error instanceof DisconnectedError && error.closeCode === 1000;
        for (const stream of [...this.#streams]) isDone ? stream.finish() : stream.fail(error);
      },
      exhausted: (attempts, error) => this.emit('maxReconnectAttemptsReached', { attempts, error }),
      policyFailed: (error) => this.onListenerError(error, 'closePolicy'),
      awaited: () =>
        this.listenerCount('message') > 0 ||
        this.#queue.size + this.#requests.size > 0 ||
        [...this.#streams].some((stream) => stream.waited),
    };
  }

  #canPass(connection: Connection | undefined): connection is Connection {
    return connection?.ready === true && this.#queue.size === 0;
  }

  #push(data: FrameData, scope: CallScope): Promise<void> {
    const connection = this.#keeper.connection;
    if (!this.#canPass(connection)) return this.#queue.push(data, scope);
    scope.throwIfCancelled();
    connection.send(data);
    this.#counts.sent += 1;
    return sentAlready;
  }

  #flush(): void {
    const connection = this.#keeper.connection;
    if (connection) this.#counts.sent += this.#queue.flush(connection);
  }

  #sendOf(key: string, message: () => Out): void {
    const connection = this.#keeper.connection;
    if (!connection) return;
    try {
      connection.send(this.#codec.encode(message()));
      this.#counts.sent += 1;
    } catch (error) {
      this.onListenerError(error, `subscription '${key}'`);
    }
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#counts.received += 1;
    this.#counts.receivedBytes += data.length;
    const frame = isBinary ? data : data.toString();
    let message: In;
    let id: string | undefined;
    try {
      const decoded = this.#codec.decode(frame);
      if (this.#requests.size > 0) id = this.#correlator.fieldOf(decoded);
      message = this.#codec.check(decoded);
    } catch (error) {
      this.#counts.decodeErrors += 1;
      this.#settings.telemetry.logger.warn({ error }, 'message could not be decoded');
      if (id === undefined || !this.#requests.fail(id, error)) this.emit('decodeError', { data: frame, error });
      return;
    }
    if (this.#requests.size > 0 && this.#answers(message, id)) return;
    for (const stream of this.#streams) stream.push(message, data.length);
    this.emit('message', message);
  }

  #answers(message: In, field: string | undefined): boolean {
    try {
      const id = field ?? this.#correlator.idOf(message);
      return id !== undefined && this.#requests.settle(id, message);
    } catch (error) {
      this.onListenerError(error, 'correlation');
      return false;
    }
  }

  #drop(sending: Promise<void>, data: FrameData | undefined): Promise<void> {
    sending.catch((error: unknown) => this.#lose('out', error, data));
    return sending;
  }

  #lose(direction: 'in' | 'out', error: unknown, data?: FrameData): void {
    this.#counts[direction === 'in' ? 'droppedIn' : 'droppedOut'] += 1;
    this.emit('dropped', { direction, error, ...(data !== undefined && { data }) });
  }
}
