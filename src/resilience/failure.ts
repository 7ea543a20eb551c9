import { type ErrorCode, SaflaError } from '../core/index.js';

/** Refusals made on this side of the wire: the target had no part in them. */
const localRefusals: ReadonlySet<ErrorCode> = new Set(['CIRCUIT_OPEN', 'QUEUE_FULL', 'RATE_LIMITED', 'CLOSED']);

/** What Node.js and undici report when a connection fails in a way that may pass. */
const transientSystemCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/**
 * True when the target failed in a way that may pass: what is retried, and what a circuit breaker
 * counts. Local refusals, answers below 500 other than 408 and 429, and programming errors are not.
 */
export function isTransientFailure(error: unknown): boolean {
  if (SaflaError.is(error)) return error.retryable && !localRefusals.has(error.code);
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && transientSystemCodes.has(code);
}
