import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** Somebody else cancelled the statement on the server. A cancellation of yours rejects with its own reason. */
export class QueryCancelledError extends DatabaseError {
  static {
    nameError(this, 'QueryCancelledError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'cancelled' });
  }
}
