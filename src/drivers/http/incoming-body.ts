import { tooLarge } from './response-body.js';

/** What delivers a body and can be slowed down. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Ends the delivery and its connection. */
  destroy(): void;
}

/** Read in pieces, a body is delivered no further than this ahead of its reader. */
const highWaterBytes = 65_536;

/**
 * The body of an answer between the wire and its reader: collected at once by `bytes`, or read in pieces
 * with back-pressure. It is counted, and ended past the limit.
 */
export class IncomingBody implements AsyncIterable<Uint8Array> {
  /** Longest delivery in bytes. */
  maxBytes: number;
  readonly #source: BodySource;
  readonly #subject: () => string;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #totalBytes = 0;
  #collecting = false;
  #over = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(source: BodySource, maxBytes: number, subject: () => string) {
    this.#source = source;
    this.maxBytes = maxBytes;
    this.#subject = subject;
  }

  /** The whole body. Rejects as soon as delivering fails. */
  async bytes(): Promise<Buffer> {
    this.#collecting = true;
    if (!this.#over) {
      this.#source.resume();
      if (!this.#over) await this.#change();
    }
    if (this.#failure) throw this.#failure.error;
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only instanceof Buffer ? only : Buffer.concat(this.#chunks);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk) {
          this.#waitingBytes -= chunk.byteLength;
          yield chunk;
        } else if (this.#over) {
          if (this.#failure) throw this.#failure.error;
          return;
        } else {
          this.#source.resume();
          // What had been held back may have come while it was asked for.
          if (this.#chunks.length === 0 && !this.#over) await this.#change();
        }
      }
    } finally {
      if (!this.#over) this.#source.destroy();
    }
  }

  push(chunk: Uint8Array): void {
    if (this.#over) return;
    this.#totalBytes += chunk.byteLength;
    if (this.#totalBytes > this.maxBytes) {
      this.fail(tooLarge(this.#subject(), this.maxBytes));
      this.#source.destroy();
      return;
    }
    this.#chunks.push(chunk);
    if (this.#collecting) return;
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes >= highWaterBytes) this.#source.pause();
    this.#wake?.();
  }

  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#failure = { error };
    this.end();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
