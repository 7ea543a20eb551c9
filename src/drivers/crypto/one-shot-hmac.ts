import { hash } from 'node:crypto';

const sizes = {
  sha256: { blockBytes: 64, hashBytes: 32 },
  sha384: { blockBytes: 128, hashBytes: 48 },
  sha512: { blockBytes: 128, hashBytes: 64 },
} as const;

/** A hash of FIPS 180-4. */
export type HashName = keyof typeof sizes;

/**
 * HMAC (RFC 2104) under one key. It is two hashes over the key and the message; hashed at once, and not through an
 * HMAC object, which costs twice as much to make as it takes to hash, they are half the price. Texts are cheaper
 * than buffers here.
 */
export class OneShotHMAC {
  /** What a message has to leave free before it. */
  readonly blockBytes: number;
  readonly #name: HashName;
  /** The key XORed with the inner pad, one block. */
  readonly #inner: Buffer;
  /** With the outer pad, and room for the inner hash. */
  readonly #outer: Buffer;

  /** @param key of any length; what is kept of it {@link OneShotHMAC.wipe} wipes */
  constructor(name: HashName, key: Uint8Array) {
    const { blockBytes, hashBytes } = sizes[name];
    const short = key.length > blockBytes ? hash(name, key, 'buffer') : key;
    this.blockBytes = blockBytes;
    this.#name = name;
    this.#inner = Buffer.alloc(blockBytes, 0x36);
    this.#outer = Buffer.alloc(blockBytes + hashBytes, 0x5c);
    for (const [at, byte] of short.entries()) {
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /**
   * Of the message that ends at `end` in `work`, and begins one block behind `start`. The key is left in that
   * block: wipe it where `work` is kept.
   */
  digest(work: Buffer, start: number, end: number, encoding: 'binary' | 'base64url'): string {
    work.set(this.#inner, start);
    this.#outer.write(hash(this.#name, work.subarray(start, end), 'binary'), this.blockBytes, 'latin1');
    return hash(this.#name, this.#outer, encoding);
  }

  /** Forgets the key. It is of no use afterwards. */
  wipe(): void {
    this.#inner.fill(0);
    this.#outer.fill(0);
  }
}
