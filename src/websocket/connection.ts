import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { ConnectionError, ProtocolError } from '../core/index.js';
import { codeOf, withoutPayload } from '../drivers/without-payload.js';
import type { FrameData } from './codec.js';
import type { Ending } from './ending.js';
import type { WaterMarks } from './water-marks.js';

/** Who hears of a {@link Connection}. */
export interface ConnectionListener {
  message(data: Buffer, isBinary: boolean): void;
  /** Bytes arrived. */
  alive(): void;
  /** So much was written that more may be sent. */
  drained(): void;
  /** Once. Nothing is told afterwards. */
  ended(ending: Ending): void;
}

/** `readyState` of a WebSocket that is open. */
const open = 1;
/** More than this is written at once instead of at the end of the tick. */
const batchBytes = 65_536;

/**
 * One open WebSocket. Frames sent in one tick leave in one write: a system call costs more than
 * framing a small message does.
 */
export class Connection {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  readonly #listener: ConnectionListener;
  readonly #marks: WaterMarks;
  /** A frame went out in this tick; those that follow are corked. */
  #sending = false;
  #corked = false;
  #ended = false;
  #error: Error | undefined;
  #pong: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(name: string, socket: WebSocket, stream: Duplex, listener: ConnectionListener, marks: WaterMarks) {
    this.#socket = socket;
    this.#stream = stream;
    this.#listener = listener;
    this.#marks = marks;
    socket.on('message', (data, isBinary) => {
      if (!this.#ended) listener.message(data as Buffer, isBinary);
    });
    socket.on('pong', () => {
      this.#pong?.resolve();
      this.#pong = undefined;
    });
    let violated: number | undefined;
    socket.on('error', (error) => {
      violated = violationOf(error);
      this.#error ??= violated === undefined ? brokenBy(error, name) : violatedBy(error, name);
    });
    socket.on('close', (code, reason) => this.#end({ code: violated ?? code, reason: reason.toString() }));
    // The socket of `ws` says only that it closed.
    stream.on('error', (error) => {
      this.#error ??= brokenBy(error, name);
    });
    stream.on('data', () => {
      if (!this.#ended) listener.alive();
    });
  }

  /** The socket of `ws`. */
  get socket(): WebSocket {
    return this.#socket;
  }

  /** True when a frame can go out now. */
  get ready(): boolean {
    return this.#socket.readyState === open && this.#socket.bufferedAmount < this.#marks.highBytes;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Hands one frame over. In order; without a promise that it arrives. */
  send(data: FrameData): void {
    if (!this.#sending) {
      this.#sending = true;
      process.nextTick(this.#endTick);
    } else if (!this.#corked) {
      this.#corked = true;
      this.#stream.cork();
    }
    // Whoever can fill the buffer must tell when it drained, or nobody would.
    if (this.#socket.bufferedAmount + mostBytes(data) > this.#marks.lowBytes) this.#socket.send(data, this.#onWritten);
    else this.#socket.send(data);
    if (this.#stream.writableLength > batchBytes) this.#uncork();
  }

  ping(): void {
    if (this.#socket.readyState === open) this.#socket.ping();
  }

  /** Pings, and resolves with the next pong; never, when there is none. */
  roundTrip(): Promise<void> {
    this.ping();
    this.#pong ??= deferred();
    return this.#pong.promise;
  }

  /** Begins the closing handshake; `ended` follows when the peer takes part. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  /** Ends it here and now, without a handshake. */
  destroy(error?: Error): void {
    this.#error ??= error;
    this.#socket.terminate();
    this.#end({ code: 1006, reason: '' });
  }

  readonly #endTick = (): void => {
    this.#sending = false;
    this.#uncork();
  };

  #uncork(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#stream.uncork();
  }

  readonly #onWritten = (): void => {
    if (!this.#ended && this.#socket.bufferedAmount <= this.#marks.lowBytes) this.#listener.drained();
  };

  #end({ code, reason }: Pick<Ending, 'code' | 'reason'>): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.ended({ code, reason, ...(this.#error && { error: this.#error }) });
  }
}

/** A UTF-16 unit is at most three bytes, a frame's header at most 14 (RFC 6455 section 5.2). */
function mostBytes(data: FrameData): number {
  return 14 + (typeof data === 'string' ? data.length * 3 : data.byteLength);
}

/** The close code that `ws` sent for what the peer did (RFC 6455 section 7.4.1); undefined for any other error. */
function violationOf(error: Error): number | undefined {
  const code = codeOf(error);
  if (!code?.startsWith('WS_ERR_')) return undefined;
  return violations[code] ?? 1002;
}

const violations: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

function violatedBy(error: Error, name: string): ProtocolError {
  return new ProtocolError(`${name} sent what cannot be accepted: ${error.message}`, { cause: withoutPayload(error) });
}

function brokenBy(error: Error, name: string): ConnectionError {
  const systemCode = codeOf(error);
  return new ConnectionError(`The connection to ${name} broke: ${error.message}`, {
    ...(systemCode !== undefined && { systemCode }),
    cause: withoutPayload(error),
  });
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
