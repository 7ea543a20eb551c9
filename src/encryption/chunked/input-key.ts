import { ClosedError } from '../../core/index.js';
import { OneShotHMAC } from '../../drivers/crypto/one-shot-hmac.js';
import { commitmentBytes, hashBytes, keyBytes, type MessageKey, nonceBytes, saltBytes } from './message-key.js';

/** The block of SHA-512. */
const blockBytes = 128;
const label: Buffer = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0', 'latin1');
/** Where the second block of HKDF has its input: behind the key and the first block. */
const infoAt: number = blockBytes + hashBytes;
/** Messages with an ordinary context are derived in here; nothing waits in between. */
const shared: Buffer = Buffer.alloc(1_024);

/** The input key of chunked messages. */
export class InputKey {
  readonly #hmac: OneShotHMAC;
  #wiped = false;

  /** @param key 32 bytes; what is kept of it {@link InputKey.wipe} wipes */
  constructor(key: Uint8Array) {
    this.#hmac = new OneShotHMAC('sha512', key);
  }

  /**
   * Key, base nonce and commitment of one message: HKDF-Expand (RFC 5869, section 2.3) with SHA-512, as
   * c2sp.org/chunked-encryption, "Key derivation", lays down. 76 bytes, so two blocks.
   *
   * @throws ClosedError once it was wiped
   */
  derive(salt: Uint8Array, context: Uint8Array): MessageKey {
    if (this.#wiped) throw new ClosedError('The data key');
    const end = infoAt + label.length + saltBytes + context.length;
    const work = end < shared.length ? shared : Buffer.alloc(end + 1);
    work.set(label, infoAt);
    work.set(salt, infoAt + label.length);
    work.set(context, infoAt + label.length + saltBytes);
    work[end] = 1;
    const first = this.#hmac.digest(work, hashBytes, end + 1, 'binary');
    work.write(first, blockBytes, 'latin1');
    work[end] = 2;
    const second = this.#hmac.digest(work, 0, end + 1, 'binary');
    work.fill(0, 0, infoAt);
    const out = Buffer.allocUnsafe(2 * hashBytes);
    out.write(first, 0, 'latin1');
    out.write(second, hashBytes, 'latin1');
    return {
      key: out.subarray(0, keyBytes),
      baseNonce: out.subarray(keyBytes, keyBytes + nonceBytes),
      commitment: out.subarray(keyBytes + nonceBytes, keyBytes + nonceBytes + commitmentBytes),
    };
  }

  /** Forgets the key. It is of no use afterwards. */
  wipe(): void {
    this.#hmac.wipe();
    this.#wiped = true;
  }
}
