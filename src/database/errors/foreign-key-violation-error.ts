import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** A row that is referred to does not exist, or is still referred to. */
export class ForeignKeyViolationError extends DatabaseError {
  static {
    nameError(this, 'ForeignKeyViolationError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'foreign-key' });
  }
}
