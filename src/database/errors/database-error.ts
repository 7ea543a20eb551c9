import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/** What went wrong, the same words for every engine. Branch on these, or on the subclass. */
export type DatabaseErrorKind =
  | 'unique'
  | 'foreign-key'
  | 'not-null'
  | 'check'
  | 'exclusion'
  | 'serialization'
  | 'deadlock'
  | 'cancelled'
  | 'statement-timeout'
  | 'lock-timeout'
  | 'pool-exhausted'
  | 'transaction'
  | 'read-only'
  | 'invalid-value'
  | 'syntax'
  | 'undefined-object'
  | 'permission'
  | 'authentication'
  | 'unknown-database'
  | 'resources'
  | 'migration'
  | 'other';

/** What the engine said about a failure. Names only: no values, no row. */
export interface DatabaseErrorFacts {
  /** PostgreSQL: the five characters of the SQLSTATE (documentation, appendix A). */
  readonly sqlstate?: string | undefined;
  /** MongoDB: the number of the error (`src/mongo/base/error_codes.yml` of the server). */
  readonly serverCode?: number | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
  /** Names the statement's text, see `StatementShape.fingerprint`. */
  readonly fingerprint?: string | undefined;
}

/** What a {@link DatabaseError} is made of. */
export interface DatabaseErrorOptions extends DatabaseErrorFacts {
  readonly kind: DatabaseErrorKind;
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

/**
 * A database refused or failed. It holds the names the engine gave and never a value of a parameter or
 * a row, in no property, message or cause.
 *
 * @example
 * try { await db.sql`insert into users ${sql.values([user])}`; }
 * catch (error) { if (error instanceof UniqueViolationError) return 'taken'; throw error; }
 */
export class DatabaseError extends SaflaError {
  static {
    nameError(this, 'DatabaseError');
  }

  readonly kind: DatabaseErrorKind;
  declare readonly sqlstate?: string;
  declare readonly serverCode?: number;
  declare readonly schema?: string;
  declare readonly table?: string;
  declare readonly column?: string;
  declare readonly constraint?: string;
  declare readonly fingerprint?: string;

  constructor(message: string, { kind, retryable, cause, ...facts }: DatabaseErrorOptions) {
    super(message, { code: 'DATABASE', cause, ...(retryable === undefined ? {} : { retryable }) });
    this.kind = kind;
    Object.assign(this, Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)));
  }
}
