import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** A column that must have a value was given none. */
export class NotNullViolationError extends DatabaseError {
  static {
    nameError(this, 'NotNullViolationError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'not-null' });
  }
}
