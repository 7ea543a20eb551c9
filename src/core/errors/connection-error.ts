import { nameError, SaflaError } from './safla-error.js';

/** The target could not be reached, or the connection broke. Retryable. */
export class ConnectionError extends SaflaError {
  static {
    nameError(this, 'ConnectionError');
  }

  /** The system's own code where there is one, such as `ECONNREFUSED`. */
  readonly systemCode?: string;

  constructor(message: string, options: { readonly systemCode?: string | undefined; readonly cause?: unknown } = {}) {
    super(message, { code: 'CONNECTION', retryable: true, cause: options.cause });
    if (options.systemCode !== undefined) this.systemCode = options.systemCode;
  }
}
