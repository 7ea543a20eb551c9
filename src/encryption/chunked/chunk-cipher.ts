import { createCipheriv, createDecipheriv } from 'node:crypto';
import { ClosedError } from '../../core/index.js';
import { DecryptError } from '../decrypt-error.js';
import { KeyExhaustedError } from '../key-exhausted-error.js';
import type { MessageKey } from './message-key.js';

/** Plaintext bytes of a full chunk. The last chunk is always shorter, and may be empty. */
export const chunkBytes: number = 16 * 1024;
export const tagBytes = 16;
/** Bytes of a full chunk once sealed. */
export const sealedChunkBytes: number = chunkBytes + tagBytes;
/** 2^38 chunks are 4 PiB: the limit of the format. */
const maxChunks = 2 ** 38;
const algorithm = 'aes-256-gcm';
const tagLength = { authTagLength: tagBytes };

/** Seals and opens the chunks of one message by their number (c2sp.org/chunked-encryption, "AEAD usage"). */
export class ChunkCipher {
  readonly #key: Buffer;
  readonly #baseNonce: Buffer;
  #nonce: Buffer | undefined;
  readonly #subject: string;
  #wiped = false;

  /** @param subject as it reads in a {@link DecryptError} */
  constructor({ key, baseNonce }: MessageKey, subject: string) {
    this.#key = key;
    this.#baseNonce = baseNonce;
    this.#subject = subject;
  }

  /** Adds ciphertext and tag to `out`, to be put one after the other: joining them would copy every byte. */
  seal(index: number, plain: Uint8Array, out: Buffer[]): void {
    const cipher = createCipheriv(algorithm, this.#key, this.#nonceOf(index), tagLength);
    out.push(cipher.update(plain));
    cipher.final();
    out.push(cipher.getAuthTag());
  }

  /** @throws DecryptError */
  open(index: number, sealed: Uint8Array): Buffer {
    if (sealed.length < tagBytes) throw new DecryptError(this.#subject);
    const decipher = createDecipheriv(algorithm, this.#key, this.#nonceOf(index), tagLength);
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    const plain = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
    try {
      decipher.final();
    } catch {
      plain.fill(0);
      throw new DecryptError(this.#subject);
    }
    return plain;
  }

  /** Forgets the key. The cipher is of no use afterwards. */
  wipe(): void {
    this.#key.fill(0);
    this.#wiped = true;
  }

  /** The base nonce with the chunk's number, big endian, XORed into its end. */
  #nonceOf(index: number): Buffer {
    if (this.#wiped) throw new ClosedError(`The cipher of ${this.#subject}`);
    if (index >= maxChunks) throw new KeyExhaustedError('A message of the chunked format may not exceed 4 PiB');
    if (index === 0) return this.#baseNonce;
    this.#nonce ??= Buffer.from(this.#baseNonce);
    const nonce = this.#nonce;
    nonce[7] = (this.#baseNonce[7] ?? 0) ^ Math.floor(index / 2 ** 32);
    nonce.writeUInt32BE((this.#baseNonce.readUInt32BE(8) ^ (index % 2 ** 32)) >>> 0, 8);
    return nonce;
  }
}
