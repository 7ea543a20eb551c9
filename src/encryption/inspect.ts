import { prefixBytes } from './chunked/message-key.js';
import { DecryptError } from './decrypt-error.js';
import { plainBytes } from './messages/long-message.js';
import { assertIntact, readHeader, type SealedHeader, suites } from './sealed-header.js';

/** What a token says of itself to everybody. Nothing of it is proven before the token is opened. */
export interface TokenInfo {
  readonly version: 1;
  readonly format: 'chunked' | 'short';
  /** The key that wrapped its data key. */
  readonly keyId: string;
  /** Length of the plaintext in bytes. */
  readonly bytes: number;
}

const shortOverhead = 12 + 16;

/** @throws DecryptError when it is not a token, or its header was damaged */
export function headerOf(sealed: Buffer, subject: string): SealedHeader {
  const header = readHeader(sealed, subject);
  if ('needs' in header) throw new DecryptError(subject);
  return header;
}

/** @throws DecryptError */
export function describeToken(sealed: Buffer): TokenInfo {
  const header = headerOf(sealed, 'the token');
  assertIntact(header, 'the token');
  const body = sealed.length - header.bytes.length;
  const chunked = header.suite === suites.chunked;
  const bytes = chunked ? plainBytes(body - prefixBytes) : body - shortOverhead;
  if (bytes === undefined || bytes < 0) throw new DecryptError('the token');
  return { version: 1, format: chunked ? 'chunked' : 'short', keyId: header.keyId, bytes };
}
