import { correlationIdHere } from './context.js';
import { redact, redactText } from './redact.js';

/** The part of a pino logger that is used: an object with facts, then a message. */
export interface Logger {
  debug(facts: object, message?: string): void;
  info(facts: object, message?: string): void;
  warn(facts: object, message?: string): void;
  error(facts: object, message?: string): void;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** Logs nothing. The default everywhere. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Wraps the host's logger so that every record is redacted, carries the component and the active
 * correlation id, and a logger that throws cannot break the call that logs.
 */
export function safeLogger(logger: Logger | undefined, component: string): Logger {
  if (!logger) return silentLogger;
  const entries = levels.map((level) => [
    level,
    (facts: object, message?: string): void => {
      try {
        const correlationId = correlationIdHere();
        const record = { component, ...(correlationId ? { correlationId } : {}), ...(redact(facts) as object) };
        logger[level](record, message === undefined ? undefined : redactText(message));
      } catch {
        // A broken logger has nobody to be reported to.
      }
    },
  ]);
  return Object.fromEntries(entries) as unknown as Logger;
}
