import { ClosedError, redactText, SaflaError, UnsupportedError, ValidationError } from '../../core/index.js';
import { codeOf, withoutPayload } from '../../drivers/without-payload.js';
import {
  CheckViolationError,
  ConnectFailedError,
  ConnectionLostError,
  DatabaseError,
  type DatabaseErrorFacts,
  type DatabaseErrorKind,
  DeadlockError,
  LockTimeoutError,
  PoolExhaustedError,
  QueryCancelledError,
  SerializationFailureError,
  StatementTimeoutError,
  UniqueViolationError,
} from '../errors/index.js';

/** What we read of a driver's error. */
interface DriverError extends Error {
  readonly code?: unknown;
  readonly keyPattern?: unknown;
  readonly writeErrors?: unknown;
  readonly errorLabels?: readonly string[];
  hasErrorLabel?(label: string): boolean;
}

type Facts = DatabaseErrorFacts & { readonly cause?: unknown };

/** The server's error codes (mongodb/mongo, `src/mongo/base/error_codes.yml`). */
const classes: Readonly<Record<number, new (message: string, facts: Facts) => DatabaseError>> = {
  24: LockTimeoutError,
  46: LockTimeoutError,
  50: StatementTimeoutError,
  112: SerializationFailureError,
  121: CheckViolationError,
  225: SerializationFailureError,
  251: SerializationFailureError,
  262: StatementTimeoutError,
  11000: UniqueViolationError,
  11001: UniqueViolationError,
  11601: QueryCancelledError,
  12582: UniqueViolationError,
};

const kinds: Readonly<Record<number, DatabaseErrorKind>> = {
  2: 'invalid-value',
  8: 'authentication',
  9: 'syntax',
  11: 'authentication',
  13: 'permission',
  14: 'invalid-value',
  18: 'authentication',
  26: 'undefined-object',
  27: 'undefined-object',
  48: 'unique',
  52: 'invalid-value',
  56: 'invalid-value',
  85: 'other',
  86: 'other',
  117: 'transaction',
  146: 'resources',
  244: 'transaction',
  246: 'serialization',
  256: 'transaction',
  257: 'transaction',
  263: 'transaction',
  292: 'resources',
  8000: 'authentication',
  10334: 'resources',
};

/** The server is not, or no longer, one that can do this: the operation was cut off. */
const cutOff = new Set([6, 7, 89, 91, 189, 9001, 10058, 10107, 11600, 11602, 13435, 13436]);

/** Who failed, and where: for messages. */
export interface FailurePlace {
  /** `insertOne on users`. */
  readonly subject: string;
  readonly collection: string | undefined;
  /** The hosts, without credentials. */
  readonly target: string;
}

/** By them it is known that a transaction, or its commit, may run again. */
const transactionLabels = ['TransientTransactionError', 'UnknownTransactionCommitResult'];

/** What the driver rejected with, as an error of this SDK that keeps the labels of transactions. It holds no values of documents. */
export function mongoFailure(error: unknown, place: FailurePlace): SaflaError {
  if (SaflaError.is(error)) return error;
  const failure = failureOf(error, place);
  const labels = transactionLabels.filter((label) => hasLabel(error, label));
  if (labels.length > 0) Object.defineProperty(failure, 'errorLabels', { value: labels, configurable: true });
  return failure;
}

function failureOf(error: unknown, place: FailurePlace): SaflaError {
  const driver = (error instanceof Error ? error : new Error(String(error))) as DriverError;
  const cause = withoutPayload(driver, withoutValues);
  const reason = withoutValues(driver.message) || driver.name;
  const message = `${place.subject} failed: ${reason}`;
  if (driver.name === 'MongoServerSelectionError') {
    const { why, denied } = selectionReason(driver);
    const text = `Connecting to ${place.target} failed: ${why}`;
    if (denied) return new DatabaseError(text, { kind: 'authentication', cause });
    return new ConnectFailedError(text, { systemCode: systemCode(driver), cause });
  }
  if (driver.name === 'WaitQueueTimeoutError' || driver.name === 'MongoWaitQueueTimeoutError') {
    return new PoolExhaustedError(`${place.subject} got no connection: all were in use for too long`, { cause });
  }
  if (isNetwork(driver)) {
    const after = 'Whether it took effect is unknown; run it again only if that is safe';
    return new ConnectionLostError(`${place.subject} was cut off: ${reason}. ${after}`, {
      systemCode: systemCode(driver),
      cause,
    });
  }
  if (typeof driver.code === 'number') return serverFailure(driver, driver.code, message, place, cause);
  return clientFailure(driver, message, place, cause);
}

function serverFailure(
  driver: DriverError,
  code: number,
  message: string,
  place: FailurePlace,
  cause: Error,
): SaflaError {
  if (code === 20 && /Transaction numbers|replica set/i.test(driver.message)) {
    return new UnsupportedError(
      `${place.subject} needs a replica set or a sharded cluster; ${place.target} is neither`,
    );
  }
  if (code === 59 || code === 40573)
    return new UnsupportedError(`${place.subject}: the server cannot do it (${message})`);
  const text = `${message} [${code}]`;
  const { keyPattern } = driver;
  const pattern = typeof keyPattern === 'object' && keyPattern !== null ? keyPattern : undefined;
  const facts: Facts = {
    serverCode: code,
    table: place.collection,
    column: pattern && Object.keys(pattern).join(', '),
    constraint: /\bindex: (\S+)/.exec(driver.message)?.[1],
    cause,
  };
  const Type = classes[code];
  if (Type) return new Type(text, facts);
  if (hasLabel(driver, 'TransientTransactionError')) return new SerializationFailureError(text, facts);
  if (code === 171) return new DeadlockError(text, facts);
  return new DatabaseError(text, { ...facts, kind: kinds[code] ?? 'other' });
}

function clientFailure(driver: DriverError, message: string, place: FailurePlace, cause: Error): SaflaError {
  const tooLarge = /larger than the maximum size|out of range|overrun|exceeds|too large/i;
  if (tooLarge.test(driver.message) && /RangeError|BSON|InvalidArgument|OffsetError/.test(driver.name)) {
    return new ValidationError('document', [{ path: [], message: 'is larger than 16 MiB' }], { cause });
  }
  if (/^MongoAuth|^MongoMissingCredentials|MongoAWS|MongoOIDC/.test(driver.name)) {
    return new DatabaseError(message, { kind: 'authentication', cause });
  }
  if (/^BSON|MongoInvalidArgument|TypeError/.test(driver.name)) {
    return new DatabaseError(message, { kind: 'invalid-value', cause });
  }
  if (/MongoTransaction|ExpiredSession/.test(driver.name))
    return new DatabaseError(message, { kind: 'transaction', cause });
  if (/MongoTopologyClosed|MongoNotConnected|MongoClientClosed/.test(driver.name)) return new ClosedError(place.target);
  return new DatabaseError(message, { kind: 'other', cause });
}

/** True for a failure after which the same transaction may succeed. */
export function isTransient(error: unknown): boolean {
  return error instanceof SerializationFailureError || hasLabel(error, 'TransientTransactionError');
}

/** True when it is unknown whether a commit took effect, so that it has to be asked again. */
export function isUnknownCommit(error: unknown): boolean {
  return hasLabel(error, 'UnknownTransactionCommitResult');
}

export function hasLabel(error: unknown, label: string): boolean {
  const { errorLabels } = (error ?? {}) as { readonly errorLabels?: unknown };
  return error instanceof Error && Array.isArray(errorLabels) && errorLabels.includes(label);
}

function isNetwork(error: DriverError): boolean {
  if (/^MongoNetwork|^MongoPoolCleared|^PoolClearedOn|^MongoConnectionPoolCleared/.test(error.name)) return true;
  return typeof error.code === 'number' && cutOff.has(error.code);
}

/** The driver says "timed out" and keeps what each server answered beside it. */
function selectionReason(error: DriverError): { readonly why: string; readonly denied: boolean } {
  const { reason } = error as {
    readonly reason?: { readonly servers?: ReadonlyMap<string, { readonly error?: unknown }> };
  };
  const inner = [...(reason?.servers?.values() ?? [])]
    .map(({ error: found }) => found)
    .find((found) => found instanceof Error);
  const why = withoutValues(inner?.message || error.message);
  return { why, denied: /auth(?:entication)? failed/i.test(why) };
}

function systemCode(error: DriverError): string | undefined {
  const { cause, reason } = error as {
    readonly cause?: unknown;
    readonly reason?: { readonly servers?: ReadonlyMap<string, { readonly error?: { readonly cause?: unknown } }> };
  };
  const inner = [...(reason?.servers?.values() ?? [])].map(({ error: found }) => found);
  for (const candidate of [error, cause, ...inner, ...inner.map((found) => found?.cause)]) {
    const code = codeOf(candidate);
    if (code !== undefined && /^E[A-Z_]+$/.test(code)) return code;
  }
  return /\b(E(?:CONN|NOTFOUND|HOST|TIMED|PIPE|AI_)[A-Z_]*)\b/.exec(
    inner[0]?.cause ? String(inner[0].cause) : error.message,
  )?.[1];
}

/** Servers repeat the values of a duplicate key, of a document that does not pass, and of what they cannot parse. */
function withoutValues(text: string): string {
  return redactText(
    text
      .replace(/ ?dup key: .*/s, '')
      .replace(/(\b(?:value|document|input|type [a-z]+|got|found|from|for)):? ?(?:\{.*\}|".*"|'.*')/gs, '$1 ...')
      .replace(/"(?:[^"\\]|\\.){31,}"/gs, '"..."'),
  );
}
