import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** A row does not satisfy a check constraint. */
export class CheckViolationError extends DatabaseError {
  static {
    nameError(this, 'CheckViolationError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'check' });
  }
}
