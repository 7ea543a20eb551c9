import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Closeable, ClosedError, type CloseOptions, ConfigurationError } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { Coalescer } from '../../resilience/index.js';
import { bytesOf, lengthPrefixed } from '../bytes.js';
import { expandKey } from '../keys/expand.js';
import type { DataKeyPair, KeyProvider, KeyRequest, WrappedKey } from '../keys/key-provider.js';
import { UnknownKeyError } from '../unknown-key-error.js';
import { unwrapKey, wrapKey } from './key-wrap.js';
import {
  decodeKdf,
  deriveFromPassword,
  encodeKdf,
  type KdfRecord,
  kdfRecord,
  kdfRecordBytes,
  kdfSaltBytes,
  type PasswordKdf,
} from './password-kdf.js';

/** Settings of a {@link PasswordKeyring}. */
export interface PasswordKeyringOptions {
  /** At least 16 characters. Texts are brought to Unicode form NFC first. */
  readonly password: string;
  /** Names the password in sealed data: change it with the password. @default 'password' */
  readonly id?: string;
  /** How new keys are derived; recorded with each. @default { name: 'scrypt' } */
  readonly kdf?: PasswordKdf;
}

const leastCharacters = 16;
/** Salts whose keys are kept: one for each process or keyring that sealed what is opened here. */
const keptKeys = 100;

/**
 * Keys from a password, for where a secret store for random keys is missing. Each keyring draws a random
 * salt and derives one key, once; what it seals carries salt and parameters, so that any process with
 * the password opens it. Deriving runs off the event loop. A password is only as good as it is hard to
 * guess: prefer a `LocalKeyring`.
 */
export class PasswordKeyring implements KeyProvider, Closeable {
  readonly #password: Buffer;
  readonly #id: string;
  readonly #record: KdfRecord;
  readonly #derived: LRUCache<string, Buffer> = new LRUCache({ max: keptKeys });
  readonly #flights: Coalescer<Buffer> = new Coalescer();
  #closed = false;

  /** @throws ConfigurationError for a password that is too short, ValidationError for parameters out of bounds */
  constructor(options: PasswordKeyringOptions) {
    checkOptions<PasswordKeyringOptions>('PasswordKeyring', options, {
      password: is.required(is.anything),
      id: is.text,
      kdf: is.object,
    });
    this.#password = passwordBytes(options.password, 'PasswordKeyring: password');
    this.#id = options.id ?? 'password';
    const kdf = options.kdf ?? { name: 'scrypt' };
    is.oneOf('scrypt', 'argon2id')(kdf.name, 'PasswordKeyring.kdf.name');
    this.#record = kdfRecord(kdf, randomBytes(kdfSaltBytes));
  }

  async generateDataKey({ context, signal }: KeyRequest): Promise<DataKeyPair> {
    const plaintext = randomBytes(32);
    const wrapped = await this.#with(this.#record, context, signal, (key) => wrapKey(key, plaintext));
    return { keyId: this.#id, plaintext, wrapped: Buffer.concat([encodeKdf(this.#record), wrapped]) };
  }

  async unwrapDataKey({ keyId, wrapped }: WrappedKey, { context, signal }: KeyRequest): Promise<Uint8Array> {
    this.#assertOpen();
    if (keyId !== this.#id) throw new UnknownKeyError(keyId);
    const bytes = Buffer.from(wrapped);
    const record = decodeKdf(bytes, 'the data key');
    return this.#with(record, context, signal, (key) => unwrapKey(key, bytes.subarray(kdfRecordBytes)));
  }

  /** True for another password id, and for another algorithm or other parameters than new keys get. */
  needsRotation({ keyId, wrapped }: WrappedKey): boolean {
    if (keyId !== this.#id) return true;
    const { name, parameters } = decodeKdf(Buffer.from(wrapped), 'the data key');
    return name !== this.#record.name || parameters.some((value, index) => value !== this.#record.parameters[index]);
  }

  /** Wipes password and keys. It is done when this returns; calls afterwards reject with ClosedError. */
  async close(_options: CloseOptions = {}): Promise<void> {
    this.#closed = true;
    this.#password.fill(0);
    for (const key of this.#derived.values()) key.fill(0);
    this.#derived.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #with<T>(
    record: KdfRecord,
    context: string,
    signal: AbortSignal | undefined,
    use: (key: Buffer) => T,
  ): Promise<T> {
    this.#assertOpen();
    const name = encodeKdf(record).toString('latin1');
    const derived = this.#derived.get(name) ?? (await this.#derive(name, record, signal));
    this.#assertOpen();
    const key = expandKey(derived, lengthPrefixed(Buffer.from('safla/password/wrap'), Buffer.from(context)));
    try {
      return use(key);
    } finally {
      key.fill(0);
    }
  }

  #derive(name: string, record: KdfRecord, signal: AbortSignal | undefined): Promise<Buffer> {
    const work = async (stop: AbortSignal): Promise<Buffer> => {
      const key = await deriveFromPassword(this.#password, record, stop);
      if (this.#closed) key.fill(0);
      else this.#derived.set(name, key);
      return key;
    };
    return this.#flights.run(name, work, signal ? { signal } : {});
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError('PasswordKeyring');
  }
}

/** @throws ConfigurationError unless it is a text of 16 characters or more */
export function passwordBytes(password: unknown, field: string): Buffer {
  if (typeof password !== 'string' || [...password].length < leastCharacters) {
    throw new ConfigurationError(`${field} must be a text of at least ${leastCharacters} characters`, { field });
  }
  // Copied out of the shared pool, so that wiping it reaches all there is.
  return Buffer.from(new Uint8Array(bytesOf(password.normalize('NFC'), field)));
}
