import {
  AccessDeniedError,
  ConnectionError,
  ProtocolError,
  QueueFullError,
  redactText,
  SaflaError,
} from '../../core/index.js';
import { codeOf, withoutPayload } from '../without-payload.js';

/** Answers that mean: not now, or not here. The same command may succeed in a moment. */
const passing = /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|NOREPLICAS|UNBLOCKED)\b/;
const refused = /^(?:NOAUTH|WRONGPASS|NOPERM)\b/;

/** True for a failure that the same command may not meet again: a lost connection, a failover, a server that starts. */
export function isPassing(error: unknown): boolean {
  if (SaflaError.is(error)) return error.code === 'CONNECTION';
  if (!(error instanceof Error)) return false;
  return error.name === 'ReplyError' ? passing.test(error.message) : !(error instanceof TypeError);
}

/** True when Redis does not know the stream or the group that a command names. */
export function isNoGroup(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOGROUP');
}

/**
 * A driver's failure as one of ours, without the command it belongs to.
 *
 * @param subject What was done, as it reads in the message: `publish to 'order.paid'`.
 */
export function redisFailure(subject: string, failure: unknown): SaflaError {
  if (SaflaError.is(failure)) return failure;
  const cause = cleaned(failure);
  const reason = cause.message || cause.name;
  if (!isPassing(failure)) {
    if (cause.message.startsWith('OOM')) return new QueueFullError(`${subject}: Redis`, 'maxmemory');
    if (refused.test(cause.message)) return new AccessDeniedError(`${subject}: Redis refuses it (${reason})`);
    return new ProtocolError(`${subject}: Redis cannot do it (${reason})`, { cause });
  }
  return new ConnectionError(`${subject}: Redis cannot be used now (${reason})`, { systemCode: codeOf(cause), cause });
}

/** The failure without its command: arguments can hold data, and the first command of a connection the password. */
function cleaned(failure: unknown): Error {
  const error = failure instanceof Error ? failure : new Error(String(failure));
  // Servers repeat the arguments of a command they do not know.
  return withoutPayload(error, (text) => redactText(text.replaceAll(/, with args beginning with:.*/g, '')));
}
