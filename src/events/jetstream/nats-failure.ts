import {
  AccessDeniedError,
  ConfigurationError,
  ConnectionError,
  QueueFullError,
  redactText,
  SaflaError,
  TimeoutError,
  UnsupportedError,
  ValidationError,
} from '../../core/index.js';
import { withoutPayload } from '../../drivers/without-payload.js';

/** Whom was asked, and for how long. */
export interface NatsTarget {
  /** As it reads in errors. */
  readonly where: string;
  readonly timeoutMs: number;
}

const denials = new Set(['AuthorizationError', 'UserAuthenticationExpiredError', 'PermissionViolationError']);

/** Says in our errors what the NATS client or the server said. */
export function natsFailure(error: unknown, doing: string, { timeoutMs, where }: NatsTarget): unknown {
  if (!(error instanceof Error) || SaflaError.is(error)) return error;
  const cause = withoutPayload(error);
  const { name, message } = error;
  const code = (error as { code?: unknown }).code;
  if (denials.has(name)) {
    return new AccessDeniedError(
      `${doing}: the NATS server refuses the credentials of 'connect': ${redactText(message)}`,
    );
  }
  if (name === 'TimeoutError') return new TimeoutError(`${doing} at ${where}`, timeoutMs, { cause });
  if (/max_payload/.test(message)) {
    return new ValidationError(doing, [{ path: [], message: 'is longer than the max_payload of the NATS server' }], {
      cause,
    });
  }
  if (
    /maximum (?:messages|bytes)|insufficient|resource limits|storage/i.test(message) &&
    name === 'JetStreamApiError'
  ) {
    return new QueueFullError(doing, `the server says: ${redactText(message)}`);
  }
  if (name === 'JetStreamNotEnabled' || code === 10039 || code === 10076) {
    return new ConfigurationError(`${doing}: JetStream is not enabled at the NATS server; start it with -js`, {
      field: 'jetstream.servers',
    });
  }
  if (code === 10052 || /requires server/.test(message)) {
    return new UnsupportedError(`${doing}: the NATS server refuses it: ${redactText(message)}`);
  }
  return new ConnectionError(`${doing} failed at ${where}: ${redactText(message)}`, { cause });
}
