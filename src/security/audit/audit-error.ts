import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/** A record could not be written; the chain ends before it. */
export class AuditError extends SaflaError {
  static {
    nameError(this, 'AuditError');
  }

  constructor(message: string, options: { readonly retryable: boolean }) {
    super(message, { code: 'AUDIT', retryable: options.retryable });
  }
}
