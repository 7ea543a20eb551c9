import { publicRandom } from '../random-pool.js';
import { ChunkCipher, chunkBytes } from './chunk-cipher.js';
import type { InputKey } from './input-key.js';
import { saltBytes } from './message-key.js';

const none: Buffer = Buffer.alloc(0);

/** Seals one message piece by piece; keeps less than a chunk. */
export class ChunkedSealer {
  /** Salt and commitment: what stands before the first chunk. */
  readonly prefix: Buffer;
  readonly #cipher: ChunkCipher;
  #index = 0;
  /** The plaintext of a chunk that is not full yet; made when the first piece does not end with one. */
  #partial: Buffer = none;
  #partialLength = 0;

  /** @param salt 24 bytes that never repeat under this key. @default random */
  constructor(key: InputKey, context: Uint8Array, salt: Uint8Array = publicRandom(saltBytes)) {
    const derived = key.derive(salt, context);
    this.prefix = Buffer.concat([salt, derived.commitment]);
    this.#cipher = new ChunkCipher(derived, 'the message');
  }

  /** The sealed bytes of every chunk that this piece fills, in parts. */
  update(piece: Uint8Array): Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    if (this.#partialLength > 0) {
      at = this.#keep(piece);
      if (this.#partialLength < chunkBytes) return out;
      this.#cipher.seal(this.#index++, this.#partial, out);
      this.#partialLength = 0;
    }
    for (; at + chunkBytes <= piece.length; at += chunkBytes) {
      this.#cipher.seal(this.#index++, piece.subarray(at, at + chunkBytes), out);
    }
    if (at < piece.length) this.#keep(piece.subarray(at));
    return out;
  }

  /** The last chunk, short and possibly empty: it marks the end of the message. */
  final(): Buffer[] {
    const out: Buffer[] = [];
    this.#cipher.seal(this.#index++, this.#partial.subarray(0, this.#partialLength), out);
    this.wipe();
    return out;
  }

  /** Forgets the key, and plaintext that is not sealed yet. */
  wipe(): void {
    this.#cipher.wipe();
    this.#partial.fill(0);
    this.#partialLength = 0;
  }

  /** Takes what fits and says how many bytes that were. */
  #keep(piece: Uint8Array): number {
    if (this.#partial.length === 0) this.#partial = Buffer.alloc(chunkBytes);
    const taken = Math.min(piece.length, chunkBytes - this.#partialLength);
    this.#partial.set(piece.subarray(0, taken), this.#partialLength);
    this.#partialLength += taken;
    return taken;
  }
}

/** All of a message at once: the last piece is sealed without being copied. */
export function sealWhole(key: InputKey, context: Uint8Array, plain: Uint8Array): Buffer[] {
  const salt = publicRandom(saltBytes);
  const derived = key.derive(salt, context);
  const out = [salt, derived.commitment];
  const cipher = new ChunkCipher(derived, 'the message');
  const full = Math.floor(plain.length / chunkBytes);
  for (let index = 0; index <= full; index++) {
    cipher.seal(index, plain.subarray(index * chunkBytes, (index + 1) * chunkBytes), out);
  }
  cipher.wipe();
  return out;
}
