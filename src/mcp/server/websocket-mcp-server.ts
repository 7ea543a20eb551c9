import {
  type CallOptions,
  type Closeable,
  type CloseOptions,
  detach,
  openScope,
  Telemetry,
  type TelemetryOptions,
} from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { forwardTo, type MessageSink } from './message-sink.js';

/** What {@link WebSocketMCPServer} needs of a `WebSocketIntegration`. */
export interface MessageSource {
  connect(options?: CallOptions): Promise<void>;
  messages(options?: CallOptions): AsyncIterable<unknown>;
  close(options?: CloseOptions): Promise<void>;
}

/** Settings of {@link WebSocketMCPServer}. */
export interface WebSocketMCPServerOptions {
  /** Where messages go. @default nowhere */
  readonly forward?: MessageSink;
  /** How the messages are called where they go. @default 'messages' */
  readonly channel?: string;
  /** Longest time to forward one message, in milliseconds. @default 30000 */
  readonly forwardTimeoutMs?: number;
  /** Gets what went wrong: with the message that could not be forwarded, without one when the connection was given up. */
  readonly onError?: (error: unknown, message?: unknown) => void;
  readonly telemetry?: TelemetryOptions;
}

/** How many messages a {@link WebSocketMCPServer} passed on since it was made. */
export interface ForwardStats {
  readonly forwarded: number;
  readonly failed: number;
}

/**
 * Forwards what arrives on a WebSocket, one message after the other: to a function, to an event channel,
 * or to MCP clients as notifications. A sink that fails costs its message, which `onError` gets, and
 * nothing else. While a sink is slow, messages wait in the bounded buffer of the WebSocket.
 *
 * Given a URL it opens and closes a WebSocket of its own; one that is handed in stays its owner's.
 *
 * @throws ConfigurationError
 * @example
 * const server = new WebSocketMCPServer('wss://feed.example', { forward: events, channel: 'ticks' });
 * await server.start();
 */
export class WebSocketMCPServer implements Closeable {
  readonly #source: string | URL | MessageSource;
  readonly #forward: (message: unknown) => unknown;
  readonly #options: WebSocketMCPServerOptions;
  readonly #telemetry: Telemetry;
  #counts: ForwardStats = { forwarded: 0, failed: 0 };
  #run: Run | undefined;

  constructor(source: string | URL | MessageSource, options: WebSocketMCPServerOptions = {}) {
    checkOptions('WebSocketMCPServer', options, {
      forward: is.anything,
      channel: is.text,
      forwardTimeoutMs: is.milliseconds,
      onError: is.function,
      telemetry: is.object,
    });
    if (typeof source === 'object' && !(source instanceof URL)) {
      for (const method of ['connect', 'messages', 'close'] as const)
        is.function(source?.[method], `WebSocketMCPServer.source.${method}`);
    } else {
      is.url('ws:', 'wss:', 'ws+unix:')(source, 'WebSocketMCPServer.url');
    }
    this.#source = source;
    this.#options = options;
    this.#forward = forwardTo(options.forward ?? (() => undefined), options.channel ?? 'messages');
    this.#telemetry = new Telemetry('mcp', options.telemetry);
  }

  /**
   * Connects, and forwards from then on, through reconnections, until `stop`. Calls while it runs share one
   * start. A start that rejects leaves nothing running; after `stop` it can start again.
   *
   * @throws what `connect` of the WebSocket throws
   */
  start(options: CallOptions = {}): Promise<void> {
    this.#run ??= this.#begin(options);
    return this.#run.started;
  }

  /** Ends forwarding and, given a URL, the WebSocket. Never rejects, so it need not be awaited. */
  async stop(options: CloseOptions = {}): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.end(options);
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.stop(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  stats(): ForwardStats {
    return this.#counts;
  }

  #begin(options: CallOptions): Run {
    const stopped = new AbortController();
    const opened = this.#open();
    const run: Run = {
      started: this.#connect(opened, stopped.signal, options).catch(async (error: unknown) => {
        if (this.#run === run) this.#run = undefined;
        await run.end({});
        throw error;
      }),
      end: async (closing) => {
        stopped.abort(stopMark);
        const { source, owned } = await opened.catch(() => nothing);
        if (owned) await source?.close(closing);
      },
    };
    return run;
  }

  async #open(): Promise<Opened> {
    if (typeof this.#source === 'object' && !(this.#source instanceof URL))
      return { source: this.#source, owned: false };
    const { WebSocketIntegration } = await import('../../websocket/index.js');
    return { source: new WebSocketIntegration(this.#source), owned: true };
  }

  async #connect(opened: Promise<Opened>, signal: AbortSignal, options: CallOptions): Promise<void> {
    const { source } = await opened;
    if (!source || signal.aborted) return;
    // Before the connection, so that its first message is not missed; it outlives whoever starts it.
    detach(() => void this.#pump(source.messages({ signal })));
    await source.connect(options);
  }

  async #pump(messages: AsyncIterable<unknown>): Promise<void> {
    try {
      for await (const message of messages) await this.#pass(message);
    } catch (error) {
      if (error !== stopMark) this.#report(error);
    }
  }

  async #pass(message: unknown): Promise<void> {
    const { forwardTimeoutMs: timeoutMs = 30_000 } = this.#options;
    try {
      using scope = openScope('forwarding a message', { timeoutMs });
      await scope.run(() => this.#forward(message));
      this.#counts = { ...this.#counts, forwarded: this.#counts.forwarded + 1 };
    } catch (error) {
      this.#counts = { ...this.#counts, failed: this.#counts.failed + 1 };
      this.#report(error, message);
    }
  }

  #report(error: unknown, ...message: [unknown?]): void {
    this.#telemetry.logger.warn({ error }, 'forwarding failed');
    try {
      this.#options.onError?.(error, ...message);
    } catch (failure) {
      this.#telemetry.logger.error({ error: failure }, 'onError failed');
    }
  }
}

interface Opened {
  readonly source?: MessageSource;
  readonly owned: boolean;
}

interface Run {
  readonly started: Promise<void>;
  readonly end: (options: CloseOptions) => Promise<void>;
}

/** Why the loop ends when it was told to. */
const stopMark: unique symbol = Symbol('stop');
const nothing: Opened = { owned: false };
