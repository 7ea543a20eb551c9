import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** A transaction could not be ordered among those beside it. Run it again; `transaction` does. */
export class SerializationFailureError extends DatabaseError {
  static {
    nameError(this, 'SerializationFailureError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'serialization', retryable: true });
  }
}
