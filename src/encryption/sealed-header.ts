import { createHash } from 'node:crypto';
import { invalid } from './bytes.js';
import { DecryptError } from './decrypt-error.js';
import type { WrappedKey } from './keys/key-provider.js';

const version = 1;
const checkBytes = 4;

/** How the body is encrypted: in the chunked format, or as one short AES-256-GCM message. */
export const suites = { chunked: 1, short: 2 } as const;
export type SuiteName = keyof typeof suites;
export type Suite = (typeof suites)[SuiteName];

/** What stands before the body of everything sealed, as told in docs/encryption.md. */
export class SealedHeader implements WrappedKey {
  readonly suite: Suite;
  /** All bytes of the header: they are authenticated with the body. */
  readonly bytes: Buffer;
  readonly #idEnd: number;

  constructor(bytes: Buffer, suite: Suite, idEnd: number) {
    this.bytes = bytes;
    this.suite = suite;
    this.#idEnd = idEnd;
  }

  get keyId(): string {
    return this.bytes.toString('utf8', 3, this.#idEnd);
  }

  get wrapped(): Buffer {
    return this.bytes.subarray(this.#idEnd + 2, this.bytes.length - checkBytes);
  }

  /** Of the key id and the wrapped key within `bytes`. */
  get keyName(): string {
    return keyNameOf(this.bytes);
  }
}

/**
 * Version, suite, key id after its length (1 byte), wrapped key after its length (2 bytes), and 4 bytes
 * of SHA-256 over these. The check is no protection: it tells a damaged key id from a key that is not held.
 *
 * @throws ValidationError when id or wrapped key are too long
 */
export function encodeHeader(suite: Suite, { keyId, wrapped }: WrappedKey): Buffer {
  const id = Buffer.from(keyId, 'utf8');
  if (id.length === 0 || id.length > 255) throw invalid('key id', 'must have 1 to 255 bytes');
  if (wrapped.length > 65_535) throw invalid('wrapped key', 'must not exceed 65,535 bytes');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(wrapped.length);
  const head = Buffer.concat([Buffer.of(version, suite, id.length), id, length, wrapped]);
  return Buffer.concat([head, checkOf(head)]);
}

/** The header at the start, or how many bytes are needed to know. */
export function readHeader(sealed: Buffer, subject: string): SealedHeader | { readonly needs: number } {
  if (sealed.length < 3) return { needs: 3 };
  const suite = sealed[1];
  if (sealed[0] !== version || (suite !== suites.chunked && suite !== suites.short)) throw new DecryptError(subject);
  const idEnd = 3 + (sealed[2] ?? 0);
  if (sealed.length < idEnd + 2) return { needs: idEnd + 2 };
  const wrappedEnd = idEnd + 2 + sealed.readUInt16BE(idEnd);
  const end = wrappedEnd + checkBytes;
  if (sealed.length < end) return { needs: end };
  return new SealedHeader(sealed.subarray(0, end), suite, idEnd);
}

/** The bytes that tell one wrapped key from another, as a text. */
export function keyNameOf(header: Buffer): string {
  return header.toString('latin1', 2, header.length - checkBytes);
}

/** @throws DecryptError when the header was changed */
export function assertIntact({ bytes }: SealedHeader, subject: string): void {
  const end = bytes.length - checkBytes;
  if (!checkOf(bytes.subarray(0, end)).equals(bytes.subarray(end))) throw new DecryptError(subject);
}

function checkOf(head: Uint8Array): Buffer {
  return createHash('sha256').update(head).digest().subarray(0, checkBytes);
}
