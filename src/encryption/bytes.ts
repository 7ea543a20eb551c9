import { isUtf8 } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { ValidationError } from '../core/index.js';

/** With the flag `u`, surrogates that form a pair are one character of another kind. */
const loneSurrogate = /\p{Surrogate}/u;

/**
 * The bytes of a text as UTF-8, or the bytes given, not copied.
 *
 * @throws ValidationError for anything else, and for a lone surrogate, which UTF-8 cannot carry
 */
export function bytesOf(value: string | Uint8Array, subject: string): Buffer {
  if (typeof value === 'string') {
    if (loneSurrogate.test(value)) {
      throw invalid(subject, 'has a lone surrogate, which UTF-8 would lose; pass bytes for what is not text');
    }
    return Buffer.from(value, 'utf8');
  }
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw invalid(subject, 'must be a text or a Uint8Array');
}

/** @throws ValidationError when the bytes are not UTF-8 */
export function textOf(bytes: Buffer, subject: string): string {
  if (!isUtf8(bytes)) throw invalid(subject, 'is binary, not text; open it as bytes');
  return bytes.toString('utf8');
}

/** A {@link ValidationError} with one issue. The message must not hold the value. */
export function invalid(subject: string, message: string): ValidationError {
  return new ValidationError(subject, [{ path: [], message }]);
}

/** Parts joined so that they can be told apart: each after its length, 4 bytes, big endian. */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Buffer {
  const out = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    at = out.writeUInt32BE(part.length, at);
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Compares in a time that depends on the lengths only. Texts are compared as UTF-8. */
export function constantTimeEqual(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const left = bytesOf(a, 'the first value');
  const right = bytesOf(b, 'the second value');
  return left.length === right.length && timingSafeEqual(left, right);
}

/** RFC 4648, section 5, without padding. Undefined unless the text is the one encoding of some bytes. */
export function decodeBase64URL(text: string): Buffer | undefined {
  return decode(text, 'base64url');
}

/** Lower case only. Undefined unless the text is the one encoding of some bytes. */
export function decodeHex(text: string): Buffer | undefined {
  return decode(text, 'hex');
}

/** Node's decoders pass over what they do not know: encoding again, which is faster than a pattern, shows it. */
function decode(text: string, encoding: 'base64url' | 'hex'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : undefined;
}
