import { ConnectionError, MissingDependencyError, ProtocolError, SaflaError } from '../../core/index.js';

const connectionCodes = new Set(['CONNECTION_CLOSED', 'NOT_CONNECTED', 'SEND_FAILED']);

/**
 * The typed error for what the SDK's client threw.
 *
 * @param subject The server as it reads in messages: `MCP server 'files'`.
 * @param what What was asked of it: `tools/call 'read'`.
 */
export function toClientError(error: unknown, subject: string, what: string): Error {
  if (SaflaError.is(error) || error instanceof MissingDependencyError) return error;
  if (!(error instanceof Error)) return new ProtocolError(`${subject}: ${what} failed`, { cause: error });
  const { code, data } = error as { code?: unknown; data?: { status?: number } };
  if (typeof code === 'number')
    return new ProtocolError(`${subject} answered ${what} with error ${code}: ${error.message}`, { cause: error });
  if (typeof code === 'string' && connectionCodes.has(code))
    return new ConnectionError(`${subject} is gone: ${what} cannot be answered`, { cause: error });
  if (data?.status !== undefined)
    return new ConnectionError(`${subject} answered ${what} with HTTP ${data.status}`, { cause: error });
  const systemCode = systemCodeOf(error);
  if (systemCode !== undefined || error.message === 'fetch failed')
    return new ConnectionError(`${subject} cannot be reached${systemCode ? ` (${systemCode})` : ''}`, {
      systemCode,
      cause: error,
    });
  return new ProtocolError(`${subject}: ${what} failed: ${error.message}`, { cause: error });
}

/** `ECONNREFUSED` and its like, wherever in the chain of causes they stand. */
function systemCodeOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return code;
  }
  return undefined;
}
