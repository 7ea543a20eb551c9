import { createCipheriv, createDecipheriv } from 'node:crypto';
import { DecryptError } from '../decrypt-error.js';

const algorithm = 'id-aes256-wrap-pad';
/** The alternative initial value of RFC 5649, section 3. */
const initialValue: Buffer = Buffer.from('a65959a6', 'hex');
/** A key of 32 bytes and one block of 8. */
export const wrappedKeyBytes = 40;

/** AES key wrap with padding (AES-KWP: RFC 5649, NIST SP 800-38F) under a key of 32 bytes. */
export function wrapKey(wrappingKey: Uint8Array, key: Uint8Array): Buffer {
  const cipher = createCipheriv(algorithm, wrappingKey, initialValue);
  return Buffer.concat([cipher.update(key), cipher.final()]);
}

/** @throws DecryptError when the wrapped key was changed or wrapped under another key */
export function unwrapKey(wrappingKey: Uint8Array, wrapped: Uint8Array): Buffer {
  if (wrapped.length === wrappedKeyBytes) {
    try {
      const decipher = createDecipheriv(algorithm, wrappingKey, initialValue);
      const key = Buffer.concat([decipher.update(wrapped), decipher.final()]);
      if (key.length === 32) return key;
    } catch {
      // Told below, with the one error there is.
    }
  }
  throw new DecryptError('the data key');
}
