export { CheckViolationError } from './check-violation-error.js';
export { ConnectFailedError } from './connect-failed-error.js';
export { ConnectionLostError } from './connection-lost-error.js';
export {
  DatabaseError,
  type DatabaseErrorFacts,
  type DatabaseErrorKind,
  type DatabaseErrorOptions,
} from './database-error.js';
export { DeadlockError } from './deadlock-error.js';
export { ForeignKeyViolationError } from './foreign-key-violation-error.js';
export { LockTimeoutError } from './lock-timeout-error.js';
export { MigrationError } from './migration-error.js';
export { NotNullViolationError } from './not-null-violation-error.js';
export { PoolExhaustedError } from './pool-exhausted-error.js';
export { QueryCancelledError } from './query-cancelled-error.js';
export { SerializationFailureError } from './serialization-failure-error.js';
export { StatementTimeoutError } from './statement-timeout-error.js';
export { UniqueViolationError } from './unique-violation-error.js';
