import {
  ClosedError,
  ConnectionError,
  ProtocolError,
  SaflaError,
  TimeoutError,
  ValidationError,
} from '../../core/index.js';
import { codeOf, withoutPayload } from '../without-payload.js';

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
  if (error.name === 'HTTPParserError' || code?.startsWith('HPE_'))
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
    case 'ERR_INVALID_CHAR':
    case 'ERR_INVALID_HTTP_TOKEN':
    case 'ERR_UNESCAPED_CHARACTERS':
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
