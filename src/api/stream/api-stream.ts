import { ProtocolError, type StandardSchemaV1, TimeoutError, UnsupportedError, validate } from '../../core/index.js';
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.js';
import { textLines } from './text-lines.js';

/** What a stream is made of. */
export interface APIStreamSource {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly attempts: number;
  readonly body: AsyncIterable<Uint8Array>;
  /** The request, as it reads in errors. */
  readonly subject: string;
  /** Ends the request; reading rejects with the reason. */
  readonly abort: (reason: unknown) => void;
  /** Longest silence in milliseconds. */
  readonly idleTimeoutMs: number;
}

/**
 * An answer that is read while it comes in: as bytes by iterating over it, or by one of its other readers.
 * The server is read no faster than the loop goes round, and leaving the loop frees the connection. It can be
 * read once; one that is not read needs `cancel()`, or `await using`.
 *
 * @example
 * await using answer = await api.stream('/export.ndjson', { signal });
 * for await (const row of answer.records({ schema: Row })) await insert(row);
 */
export class APIStream implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Requests that were sent for it. */
  readonly attempts: number;
  /** Settles when it was read to the end, left, failed or cancelled. Never rejects. */
  readonly finished: Promise<void>;
  readonly #source: APIStreamSource;
  #finish: () => void = () => undefined;
  #taken = false;

  constructor(source: APIStreamSource) {
    this.status = source.status;
    this.headers = source.headers;
    this.attempts = source.attempts;
    this.#source = source;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Its bytes, decompressed, in the pieces they came in. @throws UnsupportedError when it was read before */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#taken)
      throw new UnsupportedError(`${this.#source.subject}: the stream can be read once; send the request again`);
    this.#taken = true;
    return this.#read();
  }

  /** Its lines, as UTF-8. */
  lines(): AsyncGenerator<string, void, undefined> {
    return textLines(this, this.#source.subject);
  }

  /**
   * One value a line: NDJSON, JSON Lines. Empty lines are skipped.
   *
   * @throws ProtocolError for a line that is not JSON, ValidationError by the schema, both with its number
   */
  records<S extends StandardSchemaV1>(options: {
    readonly schema: S;
  }): AsyncGenerator<StandardSchemaV1.InferOutput<S>, void, undefined>;
  records(): AsyncGenerator<unknown, void, undefined>;
  async *records({ schema }: { readonly schema?: StandardSchemaV1 } = {}): AsyncGenerator<unknown, void, undefined> {
    let number = 0;
    for await (const line of this.lines()) {
      number += 1;
      if (line.trim() === '') continue;
      const subject = `line ${number} of ${this.#source.subject}`;
      const value = parsed(line, subject);
      yield schema ? await validate(schema, value, subject) : value;
    }
  }

  /** Server-sent events. */
  events(): AsyncGenerator<ServerSentEvent, void, undefined> {
    return serverSentEvents(this.lines(), this.#source.subject);
  }

  /** For what takes a web stream, such as `new Response(stream.readable())`. */
  readable(): ReadableStream<Uint8Array> {
    const chunks = this[Symbol.asyncIterator]();
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { value, done } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await chunks.return();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Ends the request, wherever it is. Reading rejects with `reason`; without one it just ends. */
  cancel(reason: unknown = new DOMException('The stream was cancelled', 'AbortError')): void {
    this.#source.abort(reason);
    this.#finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    const chunks = this.#source.body[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        const { value, done } = await this.#within(chunks.next());
        if (done) break;
        yield value;
      }
      ended = true;
    } finally {
      if (!ended) await chunks.return?.().catch(() => undefined);
      this.#finish();
    }
  }

  /** Ends the request when nothing comes for too long. */
  async #within<T>(next: Promise<T>): Promise<T> {
    const { idleTimeoutMs, subject, abort } = this.#source;
    if (idleTimeoutMs === Number.POSITIVE_INFINITY) return next;
    const timer = setTimeout(
      () => abort(new TimeoutError(`${subject}: waiting for data`, idleTimeoutMs)),
      Math.min(idleTimeoutMs, longestDelayMs),
    );
    try {
      return await next;
    } finally {
      clearTimeout(timer);
    }
  }
}

const longestDelayMs = 2 ** 31 - 1;

function parsed(line: string, subject: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new ProtocolError(`${subject}: is not valid JSON (${line.length} characters)`);
  }
}
