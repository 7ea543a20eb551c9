import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** The server stopped a statement that ran longer than `statementTimeoutMs`. */
export class StatementTimeoutError extends DatabaseError {
  static {
    nameError(this, 'StatementTimeoutError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'statement-timeout' });
  }
}
