import { nameError } from '../../core/internal.js';
import { DatabaseError } from './database-error.js';

/** A list of migrations does not fit what ran, or a migration failed and was undone. `migration` is its id. */
export class MigrationError extends DatabaseError {
  static {
    nameError(this, 'MigrationError');
  }

  readonly migration: string;

  constructor(migration: string, problem: string, options: { readonly cause?: unknown } = {}) {
    super(`Migration '${migration}' ${problem}`, { ...options, kind: 'migration' });
    this.migration = migration;
  }
}
