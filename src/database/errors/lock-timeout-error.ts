import { nameError } from '../../core/internal.js';
import { DatabaseError, type DatabaseErrorFacts } from './database-error.js';

/** A lock was not granted within `lockTimeoutMs`, or at once with NOWAIT. */
export class LockTimeoutError extends DatabaseError {
  static {
    nameError(this, 'LockTimeoutError');
  }

  constructor(message: string, options: DatabaseErrorFacts & { readonly cause?: unknown } = {}) {
    super(message, { ...options, kind: 'lock-timeout', retryable: true });
  }
}
