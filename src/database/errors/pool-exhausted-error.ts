import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** All connections were in use for too long, or too many callers waited already. Nothing was sent. */
export class PoolExhaustedError extends DatabaseError {
  static {
    nameError(this, 'PoolExhaustedError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'pool-exhausted', retryable: true });
  }
}
