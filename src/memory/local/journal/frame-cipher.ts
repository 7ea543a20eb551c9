import { MemoryStorageError } from '../../memory-storage-error.js';

/** Encrypts what a memory writes. An `Encryptor` of `@safla/sdk/encryption` fits. */
export interface MemoryEncryption {
  /** Text that `open` turns back, with the same context only. */
  seal(data: Uint8Array, options: { readonly context: string }): Promise<string>;
  open(token: string, options: { readonly context: string }): Promise<Uint8Array>;
}

/** Payloads on their way to and from a file. Each is bound to its file and its place in it. */
export class FrameCipher {
  readonly #encryption: MemoryEncryption | undefined;
  readonly #file: string;

  /** @param header of the file, as it stands there: payloads cannot be moved to another one */
  constructor(encryption: MemoryEncryption | undefined, header: Buffer) {
    this.#encryption = encryption;
    this.#file = header.toString('utf8');
  }

  /** @param place how many payloads stand before it */
  async seal(payload: Buffer, place: number): Promise<Buffer> {
    if (!this.#encryption) return payload;
    return Buffer.from(await this.#encryption.seal(payload, { context: `${this.#file}#${place}` }));
  }

  /** @throws MemoryStorageError when it was changed, moved or written with another key */
  async open(payload: Buffer, place: number, path: string): Promise<Buffer> {
    if (!this.#encryption) return payload;
    try {
      return Buffer.from(await this.#encryption.open(payload.toString('utf8'), { context: `${this.#file}#${place}` }));
    } catch (cause) {
      const text = `${path} cannot be decrypted: it was written with another key, or changed. Nothing was changed.`;
      throw new MemoryStorageError('damaged', text, { cause });
    }
  }
}
