import { nameError, SaflaError } from './safla-error.js';

/** A call did not finish in its time. Retryable: whether the other side did the work is unknown. */
export class TimeoutError extends SaflaError {
  static {
    nameError(this, 'TimeoutError');
  }

  /** The limit that was hit, in milliseconds. */
  readonly timeoutMs: number;

  constructor(subject: string, timeoutMs: number, options: { readonly cause?: unknown } = {}) {
    super(`${subject} did not finish within ${timeoutMs} ms`, {
      code: 'TIMEOUT',
      retryable: true,
      cause: options.cause,
    });
    this.timeoutMs = timeoutMs;
  }
}
