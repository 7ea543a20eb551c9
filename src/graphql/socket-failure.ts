import { AccessDeniedError, ConnectionError, ProtocolError, SaflaError } from '../core/index.js';
import { codeOf, withoutPayload } from '../drivers/without-payload.js';
import { isTransientFailure } from '../resilience/index.js';

/** What ends a connection: a close event, an error event of the socket, or an error of the client. */
interface Ending {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly error?: unknown;
  readonly message?: unknown;
}

/** Close codes by which a server refuses who connects: of the protocol, and the one servers use for `onConnect`. */
const denials: ReadonlySet<unknown> = new Set([4401, 4403]);

/** True when the server refused the credentials. */
export function isDenied(ending: unknown): boolean {
  const status = upgradeStatus(ending);
  return denials.has(closeCode(ending)) || status === 401 || status === 403;
}

/** True when connecting again may help. */
export function mayReconnect(ending: unknown): boolean {
  if (isDenied(ending)) return false;
  if (SaflaError.is(ending)) return isTransientFailure(ending);
  if (closeCode(ending) !== undefined) return true;
  const failure = (ending as Ending | undefined)?.error;
  const status = upgradeStatus(ending);
  if (status !== undefined) return status >= 500 || status === 408 || status === 429;
  return failure instanceof Error && !codeOf(failure)?.startsWith('WS_ERR_');
}

/** The typed error for the end of a connection. Nothing that was received is in it, but for the reason of a close. */
export function socketFailure(ending: unknown, subject: string): unknown {
  const code = closeCode(ending);
  const status = upgradeStatus(ending);
  if (isDenied(ending)) {
    const how = code === undefined ? `answered ${status}` : `closed with ${code}`;
    return new AccessDeniedError(`${subject}: the server refused the credentials (${how})`);
  }
  if (code !== undefined) return closeFailure(code, (ending as Ending).reason, subject);
  if (status !== undefined)
    return new ProtocolError(`${subject}: the server answered ${status} instead of opening a WebSocket`);
  const failure = (ending as Ending | undefined)?.error;
  if (failure instanceof Error) return errorFailure(failure, subject);
  if (ending instanceof Error && !SaflaError.is(ending)) {
    // Without the cause: it quotes the message.
    return new ProtocolError(`${subject}: the server sent what is not of the GraphQL over WebSocket protocol`);
  }
  return ending;
}

function closeFailure(code: number, reason: unknown, subject: string): SaflaError {
  const why = typeof reason === 'string' && reason !== '' ? `: ${reason.slice(0, 123)}` : '';
  const text = `${subject}: the connection was closed (${code}${why})`;
  return code >= 4000 && code !== 4499 && code !== 4504 && code !== 4408
    ? new ProtocolError(text)
    : new ConnectionError(text);
}

function errorFailure(failure: Error, subject: string): SaflaError {
  const code = codeOf(failure);
  const cause = withoutPayload(failure);
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
    return new ProtocolError(`${subject}: a message is larger than maxResponseBytes allows`, { cause });
  if (code?.startsWith('WS_ERR_'))
    return new ProtocolError(`${subject}: the server broke the WebSocket protocol (${code})`, { cause });
  return new ConnectionError(`${subject}: the connection failed (${code ?? failure.message})`, {
    systemCode: code,
    cause,
  });
}

function closeCode(ending: unknown): number | undefined {
  const { code, reason } = (ending ?? {}) as Ending;
  return typeof code === 'number' && typeof reason === 'string' ? code : undefined;
}

/** ws says the status of a refused upgrade in its message only. */
function upgradeStatus(ending: unknown): number | undefined {
  const { message } = (ending ?? {}) as Ending;
  const status = typeof message === 'string' ? /^Unexpected server response: (\d{3})$/.exec(message)?.[1] : undefined;
  return status === undefined ? undefined : Number(status);
}
