import { nameError, SaflaError } from './safla-error.js';

/** The other side broke the protocol: its answer cannot be used. Retryable only when said. */
export class ProtocolError extends SaflaError {
  static {
    nameError(this, 'ProtocolError');
  }

  constructor(message: string, options: { readonly retryable?: boolean; readonly cause?: unknown } = {}) {
    super(message, { code: 'PROTOCOL', ...options });
  }
}
