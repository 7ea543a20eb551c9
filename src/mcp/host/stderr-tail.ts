import type { Readable } from 'node:stream';
import { type Logger, redactText } from '../../core/index.js';

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
  readonly #secrets: readonly string[];
  #line = '';
  #tail = '';

  constructor(stream: Readable, server: string, secrets: readonly string[], logger: Logger) {
    this.#server = server;
    this.#secrets = secrets;
    this.#logger = logger;
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => this.#take(chunk));
    stream.on('end', () => this.#flush());
    stream.on('error', () => undefined);
  }

  /** The end of what was printed so far, masked. Empty when nothing was. */
  get text(): string {
    return `${this.#tail}${this.#mask(this.#line)}`.trim().slice(-maxTail);
  }

  #take(chunk: string): void {
    const lines = chunk.split('\n');
    for (const [index, part] of lines.entries()) {
      if (index > 0) this.#flush();
      this.#line = (this.#line + part).slice(0, maxLine);
    }
  }

  #flush(): void {
    const line = this.#mask(this.#line.trimEnd());
    this.#line = '';
    if (line === '') return;
    this.#tail = `${this.#tail}${line}\n`.slice(-maxTail);
    this.#logger.info({ server: this.#server, stderr: line }, 'MCP server wrote to stderr');
  }

  #mask(text: string): string {
    return redactText(this.#secrets.reduce((masked, secret) => masked.replaceAll(secret, '[redacted]'), text));
  }
}
