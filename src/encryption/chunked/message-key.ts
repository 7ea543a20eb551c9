import { createHmac, type KeyObject } from 'node:crypto';

export const saltBytes = 24;
export const commitmentBytes = 32;
/** Salt and commitment stand before the first chunk. */
export const prefixBytes: number = saltBytes + commitmentBytes;

const keyBytes = 32;
const nonceBytes = 12;
const hashBytes = 64;
const label: Buffer = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0', 'latin1');

/** What one message is encrypted with, and the value that ties its ciphertext to key and context. */
export interface MessageKey {
  readonly key: Buffer;
  readonly baseNonce: Buffer;
  readonly commitment: Buffer;
}

/**
 * Key, base nonce and commitment of one message: HKDF-Expand (RFC 5869, section 2.3) with SHA-512 over
 * the input key, as c2sp.org/chunked-encryption, "Key derivation", lays down. 76 bytes, so two blocks.
 */
export function deriveMessageKey(inputKey: KeyObject | Uint8Array, salt: Uint8Array, context: Uint8Array): MessageKey {
  const info = Buffer.allocUnsafe(label.length + saltBytes + context.length + 1);
  info.set(label, 0);
  info.set(salt, label.length);
  info.set(context, label.length + saltBytes);
  info[info.length - 1] = 1;
  const out = Buffer.allocUnsafe(2 * hashBytes);
  const first = createHmac('sha512', inputKey).update(info).digest();
  info[info.length - 1] = 2;
  out.set(first, 0);
  out.set(createHmac('sha512', inputKey).update(first).update(info).digest(), hashBytes);
  return {
    key: out.subarray(0, keyBytes),
    baseNonce: out.subarray(keyBytes, keyBytes + nonceBytes),
    commitment: out.subarray(keyBytes + nonceBytes, keyBytes + nonceBytes + commitmentBytes),
  };
}
