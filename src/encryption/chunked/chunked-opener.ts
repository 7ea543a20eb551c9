import { timingSafeEqual } from 'node:crypto';
import { DecryptError } from '../decrypt-error.js';
import { ChunkCipher, sealedChunkBytes } from './chunk-cipher.js';
import type { InputKey } from './input-key.js';
import { prefixBytes, saltBytes } from './message-key.js';

/**
 * The cipher of a message whose salt and commitment these are.
 *
 * @throws DecryptError when the commitment is not the one of this key and context
 */
export function chunkCipherOf(key: InputKey, context: Uint8Array, prefix: Uint8Array, subject: string): ChunkCipher {
  if (prefix.length < prefixBytes) throw new DecryptError(subject);
  const derived = key.derive(prefix.subarray(0, saltBytes), context);
  if (!timingSafeEqual(derived.commitment, prefix.subarray(saltBytes, prefixBytes))) {
    derived.key.fill(0);
    throw new DecryptError(subject);
  }
  return new ChunkCipher(derived, subject);
}

/** Opens one message piece by piece. What `update` gives is authentic; that it is complete, only `final` says. */
export class ChunkedOpener {
  readonly #cipher: ChunkCipher;
  readonly #subject: string;
  #index = 0;
  #partial: Buffer | undefined;
  #partialLength = 0;
  #failed = false;

  /** @throws DecryptError when the key or the context is not the one the message was sealed with */
  constructor(key: InputKey, context: Uint8Array, prefix: Uint8Array, subject = 'the stream') {
    this.#subject = subject;
    this.#cipher = chunkCipherOf(key, context, prefix, subject);
  }

  /**
   * The plaintext of every chunk that is complete with this piece.
   *
   * @throws DecryptError at the first chunk that was changed, and at every call afterwards
   */
  update(piece: Uint8Array): Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    if (this.#partialLength > 0) {
      at = this.#keep(piece);
      if (this.#partialLength < sealedChunkBytes) return out;
      out.push(this.#open(this.#partial ?? Buffer.alloc(0)));
      this.#partialLength = 0;
    }
    for (; at + sealedChunkBytes <= piece.length; at += sealedChunkBytes) {
      out.push(this.#open(piece.subarray(at, at + sealedChunkBytes)));
    }
    if (at < piece.length) this.#keep(piece.subarray(at));
    return out;
  }

  /** @throws DecryptError unless the message ends here with its short last chunk */
  final(): Buffer {
    const last = this.#open((this.#partial ?? Buffer.alloc(0)).subarray(0, this.#partialLength));
    this.wipe();
    return last;
  }

  /** Forgets the key. */
  wipe(): void {
    this.#cipher.wipe();
  }

  #open(chunk: Uint8Array): Buffer {
    if (this.#failed) throw new DecryptError(this.#subject);
    this.#failed = true;
    const plain = this.#cipher.open(this.#index++, chunk);
    this.#failed = false;
    return plain;
  }

  #keep(piece: Uint8Array): number {
    this.#partial ??= Buffer.alloc(sealedChunkBytes);
    const taken = Math.min(piece.length, sealedChunkBytes - this.#partialLength);
    this.#partial.set(piece.subarray(0, taken), this.#partialLength);
    this.#partialLength += taken;
    return taken;
  }
}

/** All of a message at once, in parts. @throws DecryptError */
export function openWhole(key: InputKey, context: Uint8Array, sealed: Uint8Array, subject: string): Buffer[] {
  const cipher = chunkCipherOf(key, context, sealed, subject);
  const out: Buffer[] = [];
  const body = sealed.subarray(prefixBytes);
  const full = Math.floor(body.length / sealedChunkBytes);
  for (let index = 0; index <= full; index++) {
    out.push(cipher.open(index, body.subarray(index * sealedChunkBytes, (index + 1) * sealedChunkBytes)));
  }
  cipher.wipe();
  return out;
}
