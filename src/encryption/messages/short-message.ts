import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { DecryptError } from '../decrypt-error.js';
import { publicRandom } from '../random-pool.js';

const nonceBytes = 12;
const tagBytes = 16;
const algorithm = 'aes-256-gcm';
const tagLength = { authTagLength: tagBytes };

/** AES-256-GCM with a random nonce of 96 bits, in parts: nonce, ciphertext, tag. */
export function sealShort(key: KeyObject, binding: Uint8Array, plain: Uint8Array): Buffer[] {
  const nonce = publicRandom(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, tagLength);
  cipher.setAAD(binding);
  const body = cipher.update(plain);
  cipher.final();
  return [nonce, body, cipher.getAuthTag()];
}

/** @throws DecryptError */
export function openShort(key: KeyObject, binding: Uint8Array, sealed: Uint8Array, subject: string): Buffer {
  const end = sealed.length - tagBytes;
  if (end < nonceBytes) throw new DecryptError(subject);
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), tagLength);
  decipher.setAAD(binding);
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(nonceBytes, end));
  try {
    decipher.final();
  } catch {
    plain.fill(0);
    throw new DecryptError(subject);
  }
  return plain;
}
