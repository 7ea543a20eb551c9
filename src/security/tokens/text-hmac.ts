import { hash, timingSafeEqual } from 'node:crypto';

const sizes = {
  HS256: { name: 'sha256', blockBytes: 64, hashBytes: 32 },
  HS384: { name: 'sha384', blockBytes: 128, hashBytes: 48 },
  HS512: { name: 'sha512', blockBytes: 128, hashBytes: 64 },
} as const;

/** An algorithm of RFC 7518 section 3.2. */
export type HMACAlgorithm = keyof typeof sizes;

/** True for a member of {@link HMACAlgorithm}. */
export function isHMAC(algorithm: string): algorithm is HMACAlgorithm {
  return Object.hasOwn(sizes, algorithm);
}

/** Tokens of ordinary length are hashed in here; nothing waits in between. */
const shared: Buffer = Buffer.alloc(4_096);

/**
 * HMAC (RFC 2104) of ASCII texts under one key. It is two hashes over the key and the message; hashed at once, and
 * not through an HMAC object, which costs twice as much to make as it takes to hash, they are half the price.
 */
export class TextHMAC {
  readonly #name: string;
  /** The key XORed with the inner pad, one block. */
  readonly #inner: Buffer;
  /** With the outer pad, and room for the inner hash. */
  readonly #outer: Buffer;

  constructor(algorithm: HMACAlgorithm, secret: Uint8Array) {
    const { name, blockBytes, hashBytes } = sizes[algorithm];
    const key = secret.length > blockBytes ? hash(name, secret, 'buffer') : secret;
    this.#name = name;
    this.#inner = Buffer.alloc(blockBytes, 0x36);
    this.#outer = Buffer.alloc(blockBytes + hashBytes, 0x5c);
    for (const [at, byte] of key.entries()) {
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** @param text ASCII: what is beyond would count by its lowest byte */
  sign(text: string): string {
    this.#hashInner(text);
    return hash(this.#name, this.#outer, 'base64url');
  }

  /** True when `signature` is that of the text, told in a time that depends on lengths only. */
  verify(text: string, signature: Uint8Array): boolean {
    this.#hashInner(text);
    const expected = Buffer.from(hash(this.#name, this.#outer, 'binary'), 'latin1');
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }

  #hashInner(text: string): void {
    const blockBytes = this.#inner.length;
    const end = blockBytes + text.length;
    const work = end <= shared.length ? shared : Buffer.allocUnsafe(end);
    work.set(this.#inner);
    work.write(text, blockBytes, 'latin1');
    this.#outer.write(hash(this.#name, work.subarray(0, end), 'binary'), blockBytes, 'latin1');
    work.fill(0, 0, blockBytes);
  }
}
