import { ConnectionError, MissingDependencyError, ProtocolError, SaflaError } from '../../core/index.js';

const connectionCodes = new Set(['CONNECTION_CLOSED', 'NOT_CONNECTED', 'SEND_FAILED']);

/** What is known about a server beside its name. */
export interface ServerFacts {
  /** How its process ended, once it has. */
  readonly epitaph?: () => string | undefined;
  /** Masks what the server was configured with, in texts that it sent. */
  readonly mask?: (text: string) => string;
}

/**
 * The typed error for what the SDK's client threw.
 *
 * @param subject The server as it reads in messages: `MCP server 'files'`.
 * @param what What was asked of it: `tools/call 'read'`.
 */
export function toClientError(error: unknown, subject: string, what: string, about: ServerFacts = {}): Error {
  if (SaflaError.is(error) || error instanceof MissingDependencyError) return error;
  if (!(error instanceof Error)) return new ProtocolError(`${subject}: ${what} failed`, { cause: error });
  const { mask = (text: string) => text, epitaph = () => undefined } = about;
  const { code, data } = error as { code?: unknown; data?: { status?: number } };
  if (typeof code === 'number')
    return new ProtocolError(`${subject} answered ${what} with error ${code}: ${mask(error.message)}`, {
      cause: error,
    });
  if ((typeof code === 'string' && connectionCodes.has(code)) || error.message === 'Not connected')
    return new ConnectionError(`${subject} is gone: ${what} cannot be answered${prefixed(epitaph())}`, {
      cause: error,
    });
  if (data?.status !== undefined)
    return new ConnectionError(`${subject} answered ${what} with HTTP ${data.status}${hintOf(data.status)}`, {
      cause: error,
    });
  const systemCode = systemCodeOf(error);
  if (systemCode !== undefined || error.message.endsWith('fetch failed'))
    return new ConnectionError(`${subject} cannot be reached (${systemCode ?? lastOf(error).message})`, {
      systemCode,
      cause: error,
    });
  return new ProtocolError(`${subject}: ${what} failed: ${mask(readable(error.message))}`, { cause: error });
}

/** What somebody who set the server up can do about a status. */
function hintOf(status: number): string {
  if (status === 401 || status === 403) return ': it wants other credentials; they go into `headers` of its config';
  return status === 404 || status === 405 ? '; is this the address of its MCP endpoint?' : '';
}

/** The SDK's words without its lists of what a schema expected. */
function readable(message: string): string {
  const plain = message.replace('Version negotiation probe failed: ', '').replace(/\s*\[\s*\{\s*".*$/s, '');
  const about = 'it did not answer by MCP; is this the address of an MCP endpoint?';
  if (plain === '') return about;
  return message === plain ? plain : `${plain}; ${about}`;
}

function prefixed(epitaph: string | undefined): string {
  return epitaph === undefined ? '' : `; ${epitaph}`;
}

/** Whether the connection itself has ended: on it nothing will be answered any more. */
export function isGone(error: Error): boolean {
  const { code, message } = (error.cause ?? {}) as { code?: unknown; message?: unknown };
  return code === 'CONNECTION_CLOSED' || code === 'NOT_CONNECTED' || message === 'Not connected';
}

/** The HTTP status inside of what the SDK's client threw. */
export function statusOf(error: unknown): number | undefined {
  return (error as { data?: { status?: number } } | undefined)?.data?.status;
}

function lastOf(error: Error): Error {
  return error.cause instanceof Error ? lastOf(error.cause) : error;
}

/** `ECONNREFUSED` and its like, wherever in the chain of causes they stand. */
function systemCodeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return code;
  }
  return undefined;
}
