import { createSecretKey, type KeyObject } from 'node:crypto';
import { ClosedError, ProtocolError } from '../../core/index.js';
import { InputKey } from '../chunked/input-key.js';
import { encodeHeader, keyNameOf, type Suite, suites } from '../sealed-header.js';
import { expandKey } from './expand.js';
import type { WrappedKey } from './key-provider.js';

const shortInfo: Buffer = Buffer.from('safla/sf1/short-fields', 'latin1');

/**
 * A data key in use, as one key for each suite: the chunked format derives from the data key itself,
 * short fields have a key derived from it, so the suites never share one.
 */
export class DataKey implements WrappedKey {
  readonly keyId: string;
  readonly wrapped: Uint8Array;
  readonly #secret: Buffer;
  readonly #headers: Map<Suite, Buffer> = new Map();
  #chunked: InputKey | undefined;
  #short: KeyObject | undefined;
  #destroyed = false;

  /**
   * @param plaintext is kept and wiped by {@link DataKey.destroy}
   * @throws ProtocolError unless it is 32 bytes
   */
  constructor({ keyId, wrapped }: WrappedKey, plaintext: Uint8Array) {
    if (!(plaintext instanceof Uint8Array) || plaintext.length !== 32) {
      throw new ProtocolError('The key provider gave a data key that is not 32 bytes');
    }
    this.keyId = keyId;
    this.wrapped = wrapped;
    this.#secret = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  /** Of key id and wrapped key, as in the `keyName` of a header. */
  get name(): string {
    return keyNameOf(this.header(suites.chunked));
  }

  /** What stands before everything sealed with it. */
  header(suite: Suite): Buffer {
    let header = this.#headers.get(suite);
    if (!header) {
      header = encodeHeader(suite, this);
      this.#headers.set(suite, header);
    }
    return header;
  }

  /** The input key of the chunked format. */
  get chunked(): InputKey {
    this.#assertLive();
    this.#chunked ??= new InputKey(this.#secret);
    return this.#chunked;
  }

  /** The AES key of short fields. */
  get short(): KeyObject {
    this.#assertLive();
    if (!this.#short) {
      const key = expandKey(this.#secret, shortInfo);
      this.#short = createSecretKey(key);
      key.fill(0);
    }
    return this.#short;
  }

  /** Wipes the key. Using it afterwards throws. */
  destroy(): void {
    this.#destroyed = true;
    this.#secret.fill(0);
    this.#chunked?.wipe();
    this.#chunked = undefined;
    this.#short = undefined;
  }

  /** A wiped buffer is a key everybody knows. */
  #assertLive(): void {
    if (this.#destroyed) throw new ClosedError('The data key');
  }
}
