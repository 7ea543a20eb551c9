import type { Ending } from './ending.js';

/**
 * Says whether an ending is worth another attempt. Called for connections that ended and for attempts
 * that failed. When it throws, that is reported as `handlerError` and {@link defaultClosePolicy} decides.
 *
 * @example closePolicy: (ending) => (ending.status === 401 ? 'stop' : defaultClosePolicy(ending))
 */
export type ClosePolicy = (ending: Ending) => 'retry' | 'stop';

/**
 * Normal closure, and what the next attempt would meet again: protocol error, unsupported data, invalid
 * payload, policy violation, missing extension (RFC 6455 section 7.4.1).
 */
const final: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1010]);

/** Stops on 1000, 1002, 1003, 1007, 1008, 1010 and the application's own refusals, 4400 to 4499; retries after all else. */
export const defaultClosePolicy: ClosePolicy = ({ code }) =>
  final.has(code) || (code >= 4400 && code <= 4499) ? 'stop' : 'retry';
