import type { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { ClosedError, ProtocolError } from '../../core/index.js';
import { LineSplitter } from '../host/line-splitter.js';
import type { Transport } from '../sdk/server-sdk.js';

/** A longer message is more than any client should send at once. */
const maxMessageBytes = 10 * 1024 * 1024;

/** Takes texts; after `false`, emits `drain` when there is room again. Emits `error` when it breaks. */
type MessagePipe = EventEmitter & { write(text: string): boolean };

const written: Promise<void> = Promise.resolve();

/**
 * The server's end of stdio: one JSON-RPC message per line (MCP, transports, "stdio"). What a message
 * holds is looked at by the SDK behind it, and only there; the SDK's own transport looks as well, and
 * puts a listener on stdout for each message. Closes itself when the client closes its end.
 */
export class StdioWire implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: unknown) => void;
  readonly #stdin: Readable;
  readonly #stdout: MessagePipe;
  readonly #lines: LineSplitter = new LineSplitter(maxMessageBytes);
  #closed = false;

  constructor(stdin: Readable, stdout: MessagePipe) {
    this.#stdin = stdin;
    this.#stdout = stdout;
  }

  async start(): Promise<void> {
    if (this.#stdin.readableEnded || this.#stdin.destroyed) setImmediate(this.#end);
    this.#stdin.on('data', this.#take).on('error', this.#report).on('end', this.#end).on('close', this.#end);
    this.#stdout.on('error', this.#fail);
  }

  /** Resolves when there is room for more. */
  send(message: unknown): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError('The stdio of the MCP server'));
    return this.#stdout.write(`${JSON.stringify(message)}\n`) ? written : this.#drained();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stdin.off('data', this.#take).off('error', this.#report).off('end', this.#end).off('close', this.#end);
    this.#stdout.off('error', this.#fail);
    // Nobody else reads: do not keep the process alive.
    if (this.#stdin.listenerCount('data') === 0) this.#stdin.pause();
    this.onclose?.();
  }

  readonly #take = (chunk: Buffer): void => {
    for (const line of this.#lines.push(chunk)) this.#deliver(line);
    if (!this.#lines.overflowed) return;
    this.#fail(new ProtocolError(`The client sent a message of more than ${maxMessageBytes} bytes`));
  };

  /** Lines that are no JSON are skipped, as the SDK does. */
  #deliver(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return;
    }
    if ((Object(message) as { readonly jsonrpc?: unknown }).jsonrpc === '2.0') this.onmessage?.(message);
    else this.#report(new ProtocolError('The client sent a line that is not JSON-RPC 2.0'));
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        this.#stdout.off('drain', done).off('error', done);
        if (error) reject(error);
        else resolve();
      };
      this.#stdout.on('drain', done).on('error', done);
    });
  }

  readonly #report = (error: Error): void => this.onerror?.(error);

  readonly #fail = (error: Error): void => {
    this.#report(error);
    this.#end();
  };

  readonly #end = (): void => {
    this.close().catch(this.#report);
  };
}
