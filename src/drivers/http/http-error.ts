import { redact, SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';
import { parseRetryAfter } from './retry-after.js';

/** What an {@link HTTPError} is made of. */
export interface HTTPErrorFacts {
  readonly method: string;
  /** Absolute; its query is not kept. */
  readonly url: string;
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The decoded content of the answer. */
  readonly data?: unknown;
}

const retryableStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * The server answered with a status outside 200-299. Retryable for 408, 429, 500, 502, 503 and 504.
 *
 * The message names method, origin, path and status, never the query, a body or a credential.
 *
 * @example catch (error) { if (error instanceof HTTPError && error.status === 404) return undefined; throw error; }
 */
export class HTTPError extends SaflaError {
  static {
    nameError(this, 'HTTPError');
  }

  readonly status: number;
  readonly method: string;
  /** Origin and path, without the query. */
  readonly path: string;
  /** What `Retry-After` asked for, in milliseconds from when the answer came; absent when it asked for nothing. */
  declare readonly retryAfterMs?: number;
  /** By lower-case name, credentials masked. Not enumerable: loggers and JSON leave it out. */
  declare readonly headers: Readonly<Record<string, string>>;
  readonly #data: unknown;

  constructor({ method, url, status, headers, data }: HTTPErrorFacts) {
    const { origin, pathname } = new URL(url);
    super(`${method} ${origin}${pathname} answered ${status}`, {
      code: 'HTTP_STATUS',
      retryable: retryableStatuses.has(status),
    });
    this.status = status;
    this.method = method;
    this.path = origin + pathname;
    const retryAfterMs = parseRetryAfter(headers['retry-after']);
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    Object.defineProperty(this, 'headers', { value: Object.freeze(redact(headers)), enumerable: false });
    this.#data = data;
  }

  /**
   * What the server sent with the status, decoded; undefined when it sent nothing or more than 64 KiB.
   * It can hold personal data, so `inspect`, JSON, logs and spans do not show it.
   */
  get data(): unknown {
    return this.#data;
  }
}
