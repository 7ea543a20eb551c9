import {
  ClosedError,
  ConnectionError,
  ProtocolError,
  redactText,
  SaflaError,
  TimeoutError,
  ValidationError,
} from '../../core/index.js';

/** What a failure is described with. */
export interface WireContext {
  /** The request, as it reads in errors: `GET https://api.example.com/orders`. */
  readonly subject: string;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/**
 * The typed error for what undici, a socket or a decoder threw. The cause keeps name, message, code
 * and stack only: undici's own errors can hold raw bytes of the answer, TLS errors a certificate.
 */
export function wireFailure(error: unknown, context: WireContext): unknown {
  if (SaflaError.is(error)) return error;
  const { subject } = context;
  const code = codeOf(error);
  if (!(error instanceof Error)) return error;
  const cause = withoutPayload(error);
  // The parser names its reason by a code of llhttp, or by none.
  if (error.name === 'HTTPParserError')
    return new ProtocolError(`${subject}: the answer is not HTTP (${code ?? 'malformed'})`, { cause });
  if (code === undefined) return error;
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new TimeoutError(`${subject}: connecting`, context.connectTimeoutMs, { cause });
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return new TimeoutError(`${subject}: waiting for data`, context.idleTimeoutMs, { cause });
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_DESTROYED':
      return new ClosedError('the HTTP transport');
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      return new ValidationError(subject, [{ path: [], message: error.message }], { cause });
    case 'UND_ERR_HEADERS_OVERFLOW':
      return new ProtocolError(`${subject}: the headers of the answer are too large`, { cause });
  }
  if (/^(Z_|ERR__?BROTLI|ERR_PADDING|ERR__ERROR)/.test(code))
    return new ProtocolError(`${subject}: the answer cannot be decompressed (${code})`, { cause });
  return new ConnectionError(`${subject}: the connection failed (${code})`, { systemCode: code, cause });
}

/** A copy of an error that holds nothing but what every error has, and its code. */
export function withoutPayload(error: Error): Error {
  const copy = new Error(redactText(error.message));
  Object.defineProperty(copy, 'name', { value: error.name, configurable: true });
  if (error.stack !== undefined) copy.stack = redactText(error.stack);
  const code = codeOf(error);
  return code === undefined ? copy : Object.assign(copy, { code });
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
