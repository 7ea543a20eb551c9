import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** Transactions waited for each other, and this one was ended. Run it again; `transaction` does. */
export class DeadlockError extends DatabaseError {
  static {
    nameError(this, 'DeadlockError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'deadlock', retryable: true });
  }
}
