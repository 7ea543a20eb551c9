import type { CallOptions, Clock } from '../core/index.js';
import { checkOptions, is, type OptionCheck } from '../core/internal.js';
import { invalid } from './bytes.js';
import type { KeyProvider, MacKeys } from './keys/key-provider.js';

/** Settings of an `Encryptor`. */
export interface EncryptorOptions {
  /** Gives and unwraps data keys. It stays the caller's: `close` does not close it. */
  readonly keys: KeyProvider;
  /** What all calls belong to: `'billing'`. Bound to everything, and told to the key provider. @default '' */
  readonly context?: string;
  /** Keys of `mac` and `blindIndex`. @default `keys`, where these can derive keys, as a `LocalKeyring` does */
  readonly macKeys?: MacKeys;
  /** How much one data key seals before the provider gives the next one. */
  readonly dataKey?: {
    /** Whole number up to 2^32, where random nonces of 96 bits stop being safe (NIST SP 800-38D). @default 2 ** 30 */
    readonly maxMessages?: number;
    /** Of plaintext; streams are not counted. A larger message is refused. @default 2 ** 38 */
    readonly maxBytes?: number;
    /** @default 3_600_000 */
    readonly maxAgeMs?: number;
  };
  /** Unwrapped keys kept for opening: what a key service revokes is open to this process so long. */
  readonly keyCache?: {
    /** @default 1_000 */
    readonly maxKeys?: number;
    /** @default 600_000 */
    readonly ttlMs?: number;
  };
  /** @default the machine's clock */
  readonly clock?: Clock;
}

/** Settings of a call that seals or opens. */
export interface SealContext extends CallOptions {
  /**
   * What the data belongs to, such as `user:42/ssn`: it opens only with the same. Not stored, not secret.
   * It must be given, unless the Encryptor has a context of its own; an empty one binds to nothing more.
   */
  readonly context?: string | Uint8Array;
}

/** Settings of `seal`. */
export interface SealOptions extends SealContext {
  /**
   * `chunked`: the long-term format, any size, committing to its key. `short`: AES-256-GCM at once, 44
   * bytes shorter and faster, for fields; data over 128 KiB is sealed chunked all the same.
   *
   * @default 'chunked'
   */
  readonly format?: 'chunked' | 'short';
}

/** Settings of `openRange`. */
export interface RangeOptions extends SealContext {
  /** First byte of the plaintext. @default 0 */
  readonly start?: number;
  /** Byte after the last one; beyond the end means the end. @default the end */
  readonly end?: number;
}

/** Settings of `blindIndex`. */
export interface BlindIndexOptions {
  /** Which index it is for: `users.email`. Values of two indexes cannot be compared. */
  readonly index: string;
  /** Length, a multiple of 8 from 16 to 256. Fewer bits give false matches and tell less. @default 128 */
  readonly bits?: number;
}

const keyProvider: OptionCheck = (value, field) => {
  is.object(value, field);
  for (const method of ['generateDataKey', 'unwrapDataKey', 'needsRotation'] as const) {
    is.function((value as Partial<KeyProvider>)[method], `${field}.${method}`);
  }
};

const macKeys: OptionCheck = (value, field) => {
  is.object(value, field);
  is.function((value as Partial<MacKeys>).deriveKey, `${field}.deriveKey`);
};

const upTo =
  (check: OptionCheck, most: number): OptionCheck =>
  (value, field) => {
    check(value, field);
    if ((value as number) > most) is.oneOf(`1 to ${most}`)(value, field);
  };

/** @throws ConfigurationError */
export function checkEncryptorOptions(options: EncryptorOptions): void {
  checkOptions<EncryptorOptions>('Encryptor', options, {
    keys: is.required(keyProvider),
    context: is.either('a text', is.text, is.oneOf('')),
    macKeys,
    dataKey: is.options({ maxMessages: upTo(is.count, 2 ** 32), maxBytes: is.count, maxAgeMs: is.milliseconds }),
    keyCache: is.options({ maxKeys: upTo(is.count, 1_000_000), ttlMs: is.milliseconds }),
    clock: is.object,
  });
}

/** @throws ValidationError */
export function formatOf({ format = 'chunked' }: SealOptions): 'chunked' | 'short' {
  if (format === 'chunked' || format === 'short') return format;
  throw invalid('format', "must be 'chunked' or 'short'");
}
