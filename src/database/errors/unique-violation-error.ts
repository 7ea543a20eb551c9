import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** A row with this key exists already. */
export class UniqueViolationError extends DatabaseError {
  static {
    nameError(this, 'UniqueViolationError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'unique' });
  }
}
