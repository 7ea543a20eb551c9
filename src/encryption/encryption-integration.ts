import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Closeable, ClosedError, type CloseOptions } from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import { bytesOf, decodeHex, invalid, textOf } from './bytes.js';
import { DecryptError } from './decrypt-error.js';
import { Encryptor } from './encryptor.js';
import {
  decodeKdf,
  deriveFromPasswordSync,
  encodeKdf,
  kdfRecord,
  kdfRecordBytes,
  kdfSaltBytes,
  type ScryptSettings,
} from './keyrings/password-kdf.js';
import { PasswordKeyring, passwordBytes } from './keyrings/password-keyring.js';

/** The three texts of one encrypted text, each in lower case hex. */
export interface EncryptedText {
  /** Version, salt and scrypt parameters, then the ciphertext. */
  readonly encrypted: string;
  /** 12 bytes. */
  readonly iv: string;
  /** 16 bytes. */
  readonly tag: string;
}

/** Settings of an {@link EncryptionIntegration}. */
export interface EncryptionIntegrationOptions {
  /** At least 16 characters. */
  readonly masterKey: string;
  /** Work of deriving the key, once for each process. @default N = 2^15, r = 8, p = 3 */
  readonly scrypt?: Omit<ScryptSettings, 'name'>;
}

const version = 1;
const headBytes: number = 1 + kdfRecordBytes;
const algorithm = 'aes-256-gcm';
const tagLength = { authTagLength: 16 };
const ivBytes = 12;
/** NIST SP 800-38D: with random nonces of 96 bits, one key encrypts no more. A new salt makes a new key. */
const maxMessages = 2 ** 32;
/** Salts whose keys are kept: one for each process that encrypted what is decrypted here. */
const keptKeys = 100;
const subject = 'the text';

/**
 * Encrypts texts under one master key, synchronously: the guide's form. The key is derived by scrypt with
 * a random salt at the first call, which takes about a tenth of a second, and again for each other salt
 * that turns up; both blocks the event loop. Texts are not bound to a context: for new code take
 * {@link EncryptionIntegration.encryptor}.
 *
 * @example
 * const encryption = new EncryptionIntegration(masterKey);
 * const { encrypted, iv, tag } = encryption.encrypt('secret');
 * encryption.decrypt(encrypted, iv, tag); // also in another process
 */
export class EncryptionIntegration implements Closeable {
  readonly #password: Buffer;
  readonly #scrypt: ScryptSettings;
  readonly #keys: LRUCache<string, Buffer> = new LRUCache({ max: keptKeys });
  #current: { readonly head: Buffer; readonly key: Buffer; messages: number } | undefined;
  #encryptor: { readonly keys: PasswordKeyring; readonly encryptor: Encryptor } | undefined;
  #closed = false;

  /** @throws ConfigurationError for a master key that is no text or has fewer than 16 characters */
  constructor(masterKey: string);
  constructor(options: EncryptionIntegrationOptions);
  constructor(first: string | EncryptionIntegrationOptions) {
    const options = typeof first === 'object' && first !== null ? first : { masterKey: first };
    checkOptions<EncryptionIntegrationOptions>('EncryptionIntegration', options, {
      masterKey: is.anything,
      scrypt: is.options({ cost: is.count, blockSize: is.count, parallelization: is.count }),
    });
    this.#password = passwordBytes(options.masterKey, 'EncryptionIntegration: masterKey');
    this.#scrypt = { name: 'scrypt', ...options.scrypt };
    kdfRecord(this.#scrypt, Buffer.alloc(kdfSaltBytes));
  }

  /** An `Encryptor` under keys derived from the same master key, made on first read. It closes with this object. */
  get encryptor(): Encryptor {
    this.#assertOpen();
    if (!this.#encryptor) {
      const keys = new PasswordKeyring({ password: this.#password.toString('utf8'), id: 'master', kdf: this.#scrypt });
      this.#encryptor = { keys, encryptor: new Encryptor({ keys }) };
    }
    return this.#encryptor.encryptor;
  }

  /** AES-256-GCM. @throws ValidationError for what is no text, or has a lone surrogate; ClosedError */
  encrypt(data: string): EncryptedText {
    if (typeof data !== 'string') throw invalid('data', 'must be a text; `encryptor.seal` takes bytes');
    const plain = bytesOf(data, 'data');
    const { head, key } = this.#sealing();
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv(algorithm, key, iv, tagLength);
    cipher.setAAD(head);
    const body = Buffer.concat([head, cipher.update(plain), cipher.final()]);
    return { encrypted: body.toString('hex'), iv: iv.toString('hex'), tag: cipher.getAuthTag().toString('hex') };
  }

  /** @throws DecryptError when one of the three was changed, cut or mixed up, or the master key is another */
  decrypt(encrypted: string, iv: string, tag: string): string {
    this.#assertOpen();
    for (const text of [encrypted, iv, tag])
      if (typeof text !== 'string') throw invalid('encrypted, iv and tag', 'must be texts');
    const bytes = decodeHex(encrypted);
    const nonce = decodeHex(iv);
    const authTag = decodeHex(tag);
    if (
      !bytes ||
      bytes.length < headBytes ||
      bytes[0] !== version ||
      nonce?.length !== ivBytes ||
      authTag?.length !== 16
    ) {
      throw new DecryptError(subject);
    }
    const head = bytes.subarray(0, headBytes);
    const decipher = createDecipheriv(algorithm, this.#keyOf(head), nonce, tagLength);
    decipher.setAAD(head);
    decipher.setAuthTag(authTag);
    const plain = decipher.update(bytes.subarray(headBytes));
    try {
      decipher.final();
    } catch {
      plain.fill(0);
      throw new DecryptError(subject);
    }
    return textOf(plain, subject);
  }

  /** SHA-256 as hex, to recognise content. Anyone can compute it: not for passwords or personal data. */
  generateHash(data: string): string {
    return createHash('sha256').update(bytesOf(data, 'data')).digest('hex');
  }

  /**
   * Random bytes as hex, so twice as many characters.
   *
   * @param length in bytes, from 1 to 65,536
   * @throws ValidationError
   */
  generateSecureRandom(length: number): string {
    if (!Number.isSafeInteger(length) || length < 1 || length > 65_536) {
      throw invalid('length', 'must be a whole number of bytes from 1 to 65,536');
    }
    return randomBytes(length).toString('hex');
  }

  /** Wipes master key and derived keys. Calls afterwards throw ClosedError. */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#closed = true;
    this.#password.fill(0);
    this.#current?.key.fill(0);
    this.#current = undefined;
    for (const key of this.#keys.values()) key.fill(0);
    this.#keys.clear();
    await this.#encryptor?.encryptor.close(options);
    await this.#encryptor?.keys.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #sealing(): { readonly head: Buffer; readonly key: Buffer } {
    this.#assertOpen();
    if (!this.#current || this.#current.messages >= maxMessages) {
      const head = Buffer.concat([Buffer.of(version), encodeKdf(kdfRecord(this.#scrypt, randomBytes(kdfSaltBytes)))]);
      this.#current = { head, key: this.#keyOf(head), messages: 0 };
    }
    this.#current.messages += 1;
    return this.#current;
  }

  #keyOf(head: Buffer): Buffer {
    const name = head.toString('latin1');
    let key = this.#keys.get(name);
    if (!key) {
      const record = decodeKdf(head.subarray(1), subject);
      if (record.name !== 'scrypt') throw new DecryptError(subject);
      key = deriveFromPasswordSync(this.#password, record);
      this.#keys.set(name, key);
    }
    return key;
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError('EncryptionIntegration');
  }
}
