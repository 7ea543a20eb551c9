import { nameError, SaflaError } from './safla-error.js';

/** The circuit breaker for this target is open: it failed too often lately, so nothing was sent. */
export class CircuitOpenError extends SaflaError {
  static {
    nameError(this, 'CircuitOpenError');
  }

  constructor(subject: string, options: { readonly cause?: unknown } = {}) {
    super(`The circuit for ${subject} is open after repeated failures; nothing was sent`, {
      code: 'CIRCUIT_OPEN',
      retryable: true,
      cause: options.cause,
    });
  }
}
