import { nameError, SaflaError } from './safla-error.js';

/** A rate limit was reached before its wait fitted into the call. Nothing was sent. */
export class RateLimitError extends SaflaError {
  static {
    nameError(this, 'RateLimitError');
  }

  /** Milliseconds until the limit may allow another call: the least there is to wait. */
  readonly retryAfterMs: number;

  constructor(message: string, options: { readonly retryAfterMs: number; readonly cause?: unknown }) {
    super(message, { code: 'RATE_LIMITED', retryable: true, cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}
