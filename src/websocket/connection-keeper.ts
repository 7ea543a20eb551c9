import {
  CallScope,
  type Clock,
  ClosedError,
  ConnectionError,
  detach,
  quietClock,
  spanKind,
  systemClock,
  type Telemetry,
} from '../core/index.js';
import { type ClosePolicy, defaultClosePolicy } from './close-policy.js';
import { Connection, type ConnectionListener } from './connection.js';
import { dial, type Target } from './dial.js';
import { DisconnectedError } from './disconnected-error.js';
import type { Ending } from './ending.js';
import { HandshakeError } from './handshake-error.js';
import { Heartbeat } from './heartbeat.js';
import { type ReconnectOptions, reconnectDelay } from './reconnect.js';
import type { WebSocketState } from './state.js';
import { Waiters } from './waiters.js';
import type { WaterMarks } from './water-marks.js';

/** What a {@link ConnectionKeeper} does its work with. */
export interface KeeperSettings {
  readonly target: Target;
  /** False: one attempt, and none after an ending. */
  readonly reconnect: ReconnectOptions | false;
  readonly closePolicy: ClosePolicy;
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number } | false;
  readonly handshakeTimeoutMs: number;
  readonly marks: WaterMarks;
  /** A test's own time. */
  readonly clock: Clock | undefined;
  readonly telemetry: Telemetry;
}

/** The next attempt, or that there is none. */
export interface Prospect {
  readonly attempt: number;
  readonly delayMs: number;
}

/** Who hears of a {@link ConnectionKeeper}. Nothing here may throw. */
export interface KeeperListener extends Pick<ConnectionListener, 'message' | 'drained'> {
  opened(reconnected: boolean): void;
  /** An attempt failed, or an open connection broke. */
  failed(error: Error): void;
  /** An open connection ended. `next` is undefined when it stays ended. */
  disconnected(ending: Ending, next: Prospect | undefined): void;
  waiting(next: Prospect, error: Error): void;
  /** It will not try again by itself. Told before `disconnected`, so that nobody waits for what will not come. */
  abandoned(error: Error): void;
  exhausted(attempts: number, error: Error): void;
  policyFailed(error: unknown): void;
  /** True while something waits for the next connection: then the pause before it holds the process. */
  awaited(): boolean;
}

/** Keeps one connection: opens it, watches it, and gets it back when it ends. All states are here. */
export class ConnectionKeeper {
  readonly #settings: KeeperSettings;
  readonly #listener: KeeperListener;
  readonly #waiters: Waiters = new Waiters();
  #state: WebSocketState = 'idle';
  #connection: Connection | undefined;
  #heartbeat: Heartbeat | undefined;
  #attempt: CallScope | undefined;
  #cancelTimer: () => void = noop;
  /** Endings in a row, of attempts and of connections that did not hold. */
  #failures = 0;
  /** It was open since it last was idle. */
  #wasOpen = false;
  #lastError: Error | undefined;
  #ended: () => void = noop;

  constructor(settings: KeeperSettings, listener: KeeperListener) {
    this.#settings = settings;
    this.#listener = listener;
  }

  get state(): WebSocketState {
    return this.#state;
  }

  /** The open connection. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Attempts since the last connection that held. */
  get failures(): number {
    return this.#failures;
  }

  /** Why there is no connection; undefined while there is one. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /**
   * Resolves when it is open, and starts when it is idle. When the scope ends for the last who waits and
   * it was never open, it stops: nothing goes on behind the back of a `connect` that rejected.
   */
  open(scope: CallScope): Promise<void> {
    if (this.#state === 'open') return Promise.resolve();
    const opened = this.#waiters.join(scope, () => {
      if (this.#waiters.size === 0 && !this.#wasOpen) this.#halt();
    });
    if (this.#state === 'idle' && this.#waiters.size > 0) this.#start();
    return opened;
  }

  /** From here on nothing is begun; an open connection stays until {@link finish}. */
  beginClosing(error: ClosedError): void {
    if (this.#connection === undefined) this.#halt();
    this.#state = 'closing';
    this.#waiters.take()(error);
  }

  /** Says goodbye and waits for the peer's, no longer than `timeoutMs`. */
  async finish(code: number, reason: string, timeoutMs: number): Promise<void> {
    const connection = this.#connection;
    if (connection) {
      using scope = new CallScope('closing handshake', { timeoutMs });
      const ended = new Promise<void>((resolve) => {
        this.#ended = resolve;
      });
      connection.close(code, reason);
      await scope.run(() => ended).catch(noop);
    }
    this.abandon();
  }

  /** The end of closing: whatever is still there is destroyed. */
  abandon(): void {
    this.#connection?.destroy();
    this.#state = 'closed';
  }

  #start(): void {
    this.#failures = 0;
    this.#wasOpen = false;
    this.#lastError = undefined;
    // What a connection does has nothing to do with who asked for it first.
    detach(() => void this.#try());
  }

  /** Ends an attempt or a pause. */
  #halt(): void {
    this.#cancelTimer();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#state = 'idle';
    attempt?.cancel(new ClosedError(`The attempt to connect to ${this.#settings.target.name}`));
  }

  async #try(): Promise<void> {
    const { target, handshakeTimeoutMs, clock = quietClock, telemetry } = this.#settings;
    using scope = new CallScope(`connecting to ${target.name}`, { timeoutMs: handshakeTimeoutMs, clock });
    this.#state = 'connecting';
    this.#attempt = scope;
    try {
      const attributes = { 'server.address': target.name };
      await telemetry.span({ name: 'websocket connect', kind: spanKind.client, attributes }, () =>
        scope.run(() =>
          dial(target, scope, (socket, stream) => {
            const connection: Connection = new Connection(
              target.name,
              socket,
              stream,
              this.#watch(() => connection),
              this.#settings.marks,
            );
            this.#opened(connection);
          }),
        ),
      );
    } catch (error) {
      if (this.#attempt !== scope) return;
      this.#attempt = undefined;
      this.#failed(error as Error);
    }
  }

  #watch(self: () => Connection): ConnectionListener {
    const { message, drained } = this.#listener;
    return {
      message,
      drained,
      alive: () => this.#heartbeat?.alive(),
      ended: (ending) => this.#lost(self(), ending),
    };
  }

  #opened(connection: Connection): void {
    const { heartbeat, reconnect, clock = quietClock, target } = this.#settings;
    const reconnected = this.#wasOpen;
    this.#attempt = undefined;
    this.#connection = connection;
    this.#state = 'open';
    this.#wasOpen = true;
    this.#lastError = undefined;
    if (reconnect) {
      this.#cancelTimer = clock.schedule(() => {
        this.#failures = 0;
      }, reconnect.stableMs ?? 5_000);
    }
    if (heartbeat) {
      const silent = `${target.name} sent nothing for ${heartbeat.timeoutMs} ms after a ping`;
      this.#heartbeat = new Heartbeat({
        ...heartbeat,
        clock,
        ping: () => connection.ping(),
        dead: () => connection.destroy(new ConnectionError(silent)),
      });
    }
    this.#listener.opened(reconnected);
    this.#waiters.resolve();
  }

  #lost(connection: Connection, ending: Ending): void {
    if (connection !== this.#connection) return;
    this.#connection = undefined;
    this.#heartbeat?.stop();
    this.#cancelTimer();
    if (this.#state === 'closing') {
      this.#listener.disconnected(ending, undefined);
      this.#ended();
      return;
    }
    const error = ending.error ?? new DisconnectedError(this.#settings.target.name, ending);
    this.#after(ending, error, (next) => {
      if (ending.error || ending.code === 1006) this.#listener.failed(error);
      this.#listener.disconnected(ending, next);
    });
  }

  #failed(error: Error): void {
    const status = error instanceof HandshakeError ? { status: error.status } : {};
    this.#after({ code: 1006, reason: '', error, ...status }, error, () => this.#listener.failed(error));
  }

  /** Goes on with a pause or not at all. Listeners are told when the new state holds: they may call back. */
  #after(ending: Ending, error: Error, tell: (next: Prospect | undefined) => void): void {
    const decision = this.#decide(ending);
    if (this.#state === 'closing') {
      tell(undefined);
      return;
    }
    this.#lastError = error;
    this.#failures += 1;
    const attempt = this.#failures;
    const retry = decision === 'retry' && this.#settings.reconnect ? this.#settings.reconnect : undefined;
    const delayMs = retry && reconnectDelay(retry, attempt);
    if (delayMs === undefined) {
      const rejectWaiters = this.#waiters.take();
      this.#state = 'idle';
      this.#listener.abandoned(error);
      tell(undefined);
      if (retry) this.#listener.exhausted(attempt - 1, error);
      rejectWaiters(error);
      return;
    }
    this.#state = 'backoff';
    const awaited = this.#waiters.size > 0 || this.#listener.awaited();
    const { clock = awaited ? systemClock : quietClock } = this.#settings;
    this.#cancelTimer = clock.schedule(() => void this.#try(), delayMs);
    const next = { attempt, delayMs };
    tell(next);
    if (this.#state === 'backoff') this.#listener.waiting(next, error);
  }

  #decide(ending: Ending): 'retry' | 'stop' {
    try {
      return this.#settings.closePolicy(ending);
    } catch (error) {
      this.#listener.policyFailed(error);
      return defaultClosePolicy(ending);
    }
  }
}

function noop(): void {}
