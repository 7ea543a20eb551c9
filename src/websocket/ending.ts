/** How a connection, or an attempt at one, ended. */
export interface Ending {
  /** The close code (RFC 6455 section 7.4); 1005 for a close without one, 1006 when there was no closing handshake. */
  readonly code: number;
  /** What the server gave as its reason; empty when it gave none. */
  readonly reason: string;
  /** The HTTP status, when the server refused the handshake with one. */
  readonly status?: number;
  /** Why, where it is known: the attempt failed, the connection broke, or the server went silent. */
  readonly error?: Error;
}

/** The ending as it reads in errors. */
export function describeEnding({ code, reason, error }: Ending): string {
  if (code === 1006) return error ? error.message : 'it broke without a closing handshake';
  return reason === '' ? `close code ${code}` : `close code ${code} (${reason})`;
}
