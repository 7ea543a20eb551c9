import { ConnectionError, SaflaError } from '../../core/index.js';
import { codeOf, withoutPayload } from '../../drivers/without-payload.js';
import {
  CheckViolationError,
  ConnectFailedError,
  ConnectionLostError,
  DatabaseError,
  type DatabaseErrorFacts,
  type DatabaseErrorKind,
  DeadlockError,
  ForeignKeyViolationError,
  LockTimeoutError,
  NotNullViolationError,
  QueryCancelledError,
  SerializationFailureError,
  StatementTimeoutError,
  UniqueViolationError,
} from '../errors/index.js';
import type { StatementShape } from '../sql/statement.js';

/** The fields of an ErrorResponse as `pg` gives them (PostgreSQL documentation, "Error and Notice Message Fields"). */
interface ServerError extends Error {
  readonly code: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly hint?: string;
}

type Facts = DatabaseErrorFacts & { readonly cause?: unknown };

const classes: Readonly<Record<string, new (message: string, facts: Facts) => DatabaseError>> = {
  '23502': NotNullViolationError,
  '23503': ForeignKeyViolationError,
  '23505': UniqueViolationError,
  '23514': CheckViolationError,
  '40001': SerializationFailureError,
  '40P01': DeadlockError,
  '55P03': LockTimeoutError,
  '57014': QueryCancelledError,
};

const kinds: Readonly<Record<string, DatabaseErrorKind>> = {
  '23P01': 'exclusion',
  '25006': 'read-only',
  '28000': 'authentication',
  '28P01': 'authentication',
  '3D000': 'unknown-database',
  '42501': 'permission',
  '42601': 'syntax',
  '42703': 'undefined-object',
  '42704': 'undefined-object',
  '42883': 'undefined-object',
  '42P01': 'undefined-object',
  '3F000': 'undefined-object',
};

const kindsByClass: Readonly<Record<string, DatabaseErrorKind>> = {
  '22': 'invalid-value',
  '25': 'transaction',
  '42': 'syntax',
  '53': 'resources',
  '54': 'resources',
};

/** True when the connection can carry no further statement: the server hung up, is about to, or was never understood. */
export function isConnectionFailure(error: unknown): boolean {
  if (SaflaError.is(error)) return isLost(error);
  const sqlstate = sqlstateOf(error);
  if (sqlstate === undefined) return true;
  // 08P01 is a statement that the protocol cannot carry, such as a value inside quotes; the connection goes on.
  return (sqlstate.startsWith('08') && sqlstate !== '08P01') || /^57P0[1-5]$|^25P0[34]$|^XX001$/.test(sqlstate);
}

/** What `pg` rejected a statement with, as an error of this SDK. */
export function statementFailure(error: unknown, shape: StatementShape | undefined): SaflaError {
  if (SaflaError.is(error)) return error;
  const subject = shape ? `The ${shape.operation} (query ${shape.fingerprint})` : 'The statement';
  if (isConnectionFailure(error)) {
    return new ConnectionLostError(
      `${subject} was cut off: ${reasonOf(error)}. Whether it took effect is unknown; run it again only if that is safe`,
      { systemCode: codeOf(error), cause: causeOf(error) },
    );
  }
  const server = error as ServerError;
  const advice = server.code === '08P01' ? 'parameters and values differ: a $1 inside quotes is none' : server.hint;
  const hint = advice ? ` (${advice})` : '';
  const facts: Facts = {
    sqlstate: server.code,
    schema: server.schema,
    table: server.table,
    column: server.column,
    constraint: server.constraint,
    fingerprint: shape?.fingerprint,
    cause: causeOf(error),
  };
  const message = `${subject} failed: ${withoutValues(server)}${hint} [${server.code}]`;
  if (server.code === '57014' && server.message.includes('statement timeout')) {
    return new StatementTimeoutError(message, facts);
  }
  const Type = classes[server.code];
  if (Type) return new Type(message, facts);
  const kind = kinds[server.code] ?? kindsByClass[server.code.slice(0, 2)] ?? 'other';
  return new DatabaseError(message, { ...facts, kind });
}

/** What making a connection failed with. A refused password or database is not retryable; the rest is. */
export function connectFailure(error: unknown, target: string): SaflaError {
  if (SaflaError.is(error)) return error;
  const sqlstate = sqlstateOf(error);
  const kind = sqlstate === undefined ? undefined : kinds[sqlstate];
  const message = `Connecting to ${target} failed: ${reasonOf(error)}`;
  if (sqlstate !== undefined && kind !== undefined) {
    return new DatabaseError(`${message} [${sqlstate}]`, { kind, sqlstate, cause: causeOf(error) });
  }
  const systemCode = codeOf(error);
  return new ConnectFailedError(`${message}${certificateAdvice(systemCode)}`, { systemCode, cause: causeOf(error) });
}

/** What helps against the codes of OpenSSL and Node.js for a certificate that was not accepted. */
function certificateAdvice(code: string | undefined): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return '; when the server is the right one, name it: tls: { servername }';
  if (code === undefined || !/SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER)|SIGNATURE_FAILURE$/.test(code))
    return '';
  return '; give the certificate of its authority: sslrootcert in the URL, or tls: { ca }';
}

/** True for a failure after which the same transaction may succeed: 40001 and 40P01. */
export function isRetryable(error: unknown): boolean {
  return error instanceof SerializationFailureError || error instanceof DeadlockError;
}

/** True for any failure of the connection itself. */
export function isLost(error: unknown): boolean {
  return error instanceof ConnectionError;
}

/** The SQLSTATE of what `pg` threw, undefined where the server said nothing. */
export function sqlstateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown reason';
  return error.message || (codeOf(error) ?? error.name);
}

/** Its stack says where; what the server wrote about values stays behind. */
function causeOf(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  const clean = sqlstateOf(error) === undefined ? message : withoutValues(error as ServerError);
  return withoutPayload(error, (text) => text.replaceAll(message, () => clean));
}

/**
 * PostgreSQL quotes names and values alike. Names are kept in the classes that quote nothing else; in the
 * data exceptions (class 22) what is quoted is the value, and in a syntax error it may be one.
 */
function withoutValues({ code, message }: ServerError): string {
  if (code.startsWith('22')) return message.replace(/".*"/s, '"..."').replace(/: .*$/s, (rest) => rest.slice(0, 60));
  if (code === '42601') return message.replace(/"(?:[^a-z(),;.*=<>].*|.{31,})"/is, '"..."');
  return message;
}
