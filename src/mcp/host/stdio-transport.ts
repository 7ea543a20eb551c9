import { ConnectionError, ProtocolError } from '../../core/index.js';
import type { Transport } from '../sdk/server-sdk.js';
import { LineSplitter } from './line-splitter.js';
import { parseRPC } from './parse-rpc.js';
import type { ServerProcess } from './server-process.js';

/** A longer message is more than any server should send at once. */
const maxMessageBytes = 16 * 1024 * 1024;
/** What is printed beside the protocol between two messages; a banner is shorter. */
const maxGarbageLines = 10_000;
const maxGarbageBytes = 1024 * 1024;

/**
 * One JSON-RPC message per line over a process's stdin and stdout (MCP, transports, "stdio"). Lines
 * that are no JSON-RPC are counted and skipped: some servers print a banner.
 */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: unknown) => void;
  readonly #process: ServerProcess;
  readonly #stopWithinMs: number;
  readonly #lines: LineSplitter = new LineSplitter(maxMessageBytes);
  #flooded = false;
  #received = 0;
  #garbage = 0;
  /** Since the last message. */
  #garbageLines = 0;
  #garbageBytes = 0;

  constructor(process: ServerProcess, stopWithinMs: number) {
    this.#process = process;
    this.#stopWithinMs = stopWithinMs;
  }

  /** With `stderr`, what the SDK knows stdio by: there, no answer to its probe means an older protocol. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  get stderr(): null {
    return null;
  }

  /** How many messages came. */
  get received(): number {
    return this.#received;
  }

  /** How many lines were not JSON-RPC. */
  get garbage(): number {
    return this.#garbage;
  }

  async start(): Promise<void> {
    this.#process.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#process.ended.then(() => this.onclose?.());
  }

  /** @throws ConnectionError once the process has ended: that may have been told before anybody listened */
  async send(message: unknown): Promise<void> {
    const { stdin, ending } = this.#process;
    if (ending !== undefined) throw new ConnectionError(`The server ${ending}`);
    if (stdin.write(`${JSON.stringify(message)}\n`) || stdin.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stdin.off('drain', done).off('close', done);
        resolve();
      };
      stdin.on('drain', done).on('close', done);
    });
  }

  async close(): Promise<void> {
    await this.#process.stop(this.#stopWithinMs);
  }

  #take(chunk: Buffer): void {
    if (this.#flooded) return;
    for (const line of this.#lines.push(chunk)) {
      this.#deliver(line);
      if (this.#garbageLines <= maxGarbageLines && this.#garbageBytes <= maxGarbageBytes) continue;
      this.#refuseFlood(`${this.#garbageLines} lines that are not JSON-RPC`);
      return;
    }
    if (this.#lines.overflowed) this.#refuseFlood(`a message of more than ${maxMessageBytes} bytes`);
  }

  #deliver(line: string): void {
    const message = parseRPC(line);
    if (message === undefined) {
      if (line.trim() !== '') this.#garbage += 1;
      this.#garbageLines += 1;
      this.#garbageBytes += line.length;
      return;
    }
    this.#received += 1;
    this.#garbageLines = 0;
    this.#garbageBytes = 0;
    this.onmessage?.(message);
  }

  #refuseFlood(what: string): void {
    this.#flooded = true;
    this.#garbage += 1;
    this.onerror?.(new ProtocolError(`The server sent ${what}; it is stopped`));
    this.#process.stdout.destroy();
    this.#process.stop(0).catch(() => undefined);
  }
}
