import { timingSafeEqual } from 'node:crypto';
import { type HashName, OneShotHMAC } from '../../drivers/crypto/one-shot-hmac.js';

/** An algorithm of RFC 7518 section 3.2. */
export type HMACAlgorithm = 'HS256' | 'HS384' | 'HS512';

const hashes: Readonly<Record<HMACAlgorithm, HashName>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

/** True for a member of {@link HMACAlgorithm}. */
export function isHMAC(algorithm: string): algorithm is HMACAlgorithm {
  return Object.hasOwn(hashes, algorithm);
}

/** Tokens of ordinary length are hashed in here; nothing waits in between. */
const shared: Buffer = Buffer.alloc(4_096);

/** HMAC of ASCII texts under one key. */
export class TextHMAC {
  readonly #hmac: OneShotHMAC;

  constructor(algorithm: HMACAlgorithm, secret: Uint8Array) {
    this.#hmac = new OneShotHMAC(hashes[algorithm], secret);
  }

  /** @param text ASCII: what is beyond would count by its lowest byte */
  sign(text: string): string {
    return this.#digest(text, 'base64url');
  }

  /** True when `signature` is that of the text, told in a time that depends on lengths only. */
  verify(text: string, signature: Uint8Array): boolean {
    const expected = Buffer.from(this.#digest(text, 'binary'), 'latin1');
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }

  #digest(text: string, encoding: 'binary' | 'base64url'): string {
    const { blockBytes } = this.#hmac;
    const end = blockBytes + text.length;
    const work = end <= shared.length ? shared : Buffer.allocUnsafe(end);
    work.write(text, blockBytes, 'latin1');
    const digest = this.#hmac.digest(work, 0, end, encoding);
    work.fill(0, 0, blockBytes);
    return digest;
  }
}
