import type { Readable } from 'node:stream';
import type { Logger } from '../../core/index.js';
import type { SecretMask } from './secret-mask.js';

const maxLine = 2_000;
const maxTail = 2_000;

/**
 * Reads what a server prints to stderr: each line goes to the logger, and the last two thousand
 * characters stay for error messages. Masks credentials and the values the server was configured
 * with. Memory stays bounded however much is printed.
 */
export class StderrTail {
  readonly #logger: Logger;
  readonly #server: string;
  readonly #mask: SecretMask;
  readonly #maxHeld: number;
  #line = '';
  #tail = '';

  constructor(stream: Readable, server: string, mask: SecretMask, logger: Logger) {
    this.#server = server;
    this.#mask = mask;
    // A secret that begins within a line's limit is held in full, so that it is masked in full.
    this.#maxHeld = maxLine + mask.longest;
    this.#logger = logger;
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => this.#take(chunk));
    stream.on('end', () => this.#flush());
    stream.on('error', () => undefined);
  }

  /** The end of what was printed so far, masked. Empty when nothing was. */
  get text(): string {
    return `${this.#tail}${this.#masked()}`.trim().slice(-maxTail);
  }

  #take(chunk: string): void {
    const lines = chunk.split('\n');
    for (const [index, part] of lines.entries()) {
      if (index > 0) this.#flush();
      this.#line = (this.#line + part).slice(0, this.#maxHeld);
    }
  }

  #flush(): void {
    const line = this.#masked();
    this.#line = '';
    if (line === '') return;
    this.#tail = `${this.#tail}${line}\n`.slice(-maxTail);
    this.#logger.info({ server: this.#server, stderr: line }, 'MCP server wrote to stderr');
  }

  /** The line so far. The end of one that was cut is left out: it may be a part of a secret. */
  #masked(): string {
    const masked = this.#mask.of(this.#line).trimEnd();
    const isCut = this.#line.length >= this.#maxHeld;
    return (isCut ? masked.slice(0, Math.max(0, masked.length - this.#mask.longest)) : masked).slice(0, maxLine);
  }
}
