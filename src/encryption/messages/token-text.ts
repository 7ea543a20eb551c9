import { decodeBase64URL } from '../bytes.js';
import { DecryptError } from '../decrypt-error.js';

const mark = 'sf1.';
/** Characters decoded at once; whole groups of 4. */
const pieceChars = 128 * 1024;
/** Longer than any token of the short format. */
const longChars = 256 * 1024;

/** The text of sealed bytes given in parts. */
export function tokenOf(parts: readonly Uint8Array[]): string {
  return mark + Buffer.concat(parts).toString('base64url');
}

/** Writes a token piece by piece. */
export class TokenWriter {
  #text: string = mark;
  #rest: Buffer = Buffer.alloc(0);

  add(parts: readonly Uint8Array[]): void {
    const bytes = Buffer.concat([this.#rest, ...parts]);
    const whole = bytes.length - (bytes.length % 3);
    this.#text += bytes.toString('base64url', 0, whole);
    this.#rest = bytes.subarray(whole);
  }

  end(): string {
    return this.#text + this.#rest.toString('base64url');
  }
}

/** True for a token that is opened piece by piece. */
export function isLongToken(token: string): boolean {
  return token.length > longChars;
}

/** The sealed bytes of a token. @throws DecryptError for any text but the one encoding of these bytes */
export function bytesOfToken(token: string): Buffer {
  const bytes = token.startsWith(mark) ? decodeBase64URL(token.slice(mark.length)) : undefined;
  if (!bytes) throw new DecryptError('the token');
  return bytes;
}

/** {@link bytesOfToken} in pieces. */
export function* piecesOfToken(token: string): Generator<Buffer> {
  if (!token.startsWith(mark)) throw new DecryptError('the token');
  for (let at = mark.length; at < token.length; at += pieceChars) {
    const bytes = decodeBase64URL(token.slice(at, at + pieceChars));
    if (!bytes) throw new DecryptError('the token');
    yield bytes;
  }
}

/** True for what looks like a token, as far as its first characters say. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(mark);
}
