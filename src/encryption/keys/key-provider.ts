import type { Awaitable, CallOptions } from '../../core/index.js';

/** A fresh data key: in clear for use now, and wrapped to be stored beside what it seals. */
export interface DataKeyPair extends WrappedKey {
  /** 32 random bytes. They belong to the receiver, which wipes them. */
  readonly plaintext: Uint8Array;
}

/** A data key as it stands in sealed data. */
export interface WrappedKey {
  /** Which key wrapped it; public, at most 255 bytes as UTF-8. */
  readonly keyId: string;
  /** At most 65,535 bytes. */
  readonly wrapped: Uint8Array;
}

/** What a {@link KeyProvider} is told with every call. */
export interface KeyRequest extends CallOptions {
  /** The `context` of the Encryptor, or an empty text. A KMS binds it (AWS: EncryptionContext). */
  readonly context: string;
}

/**
 * Gives data keys and unwraps them: a keyring in the process, or a key management service. The key that
 * wraps never leaves it. `keyProviderContract` of `@safla/sdk/testing` says what it must do.
 */
export interface KeyProvider {
  /** A new random data key under the primary key. */
  generateDataKey(request: KeyRequest): Awaitable<DataKeyPair>;
  /**
   * The 32 bytes of a data key. They belong to the receiver, which wipes them.
   *
   * @throws UnknownKeyError when it does not hold the key; DecryptError when `wrapped` was changed or belongs to another context; another error when it cannot be asked
   */
  unwrapDataKey(key: WrappedKey, request: KeyRequest): Awaitable<Uint8Array>;
  /** True when new data would be sealed under another key, so that old data should be sealed again. */
  needsRotation(key: WrappedKey): boolean;
  /**
   * Counts up with each change of what the provider may seal with or open; the keys it gave before are
   * then forgotten. A provider whose keys never change has none.
   */
  readonly revision?: number;
}

/** Keys for MACs and blind indexes, which must stay the same over time. A `LocalKeyring` is one. */
export interface MacKeys {
  readonly primaryKeyId: string;
  /** Those that may verify, the primary one first. */
  readonly usableKeyIds: readonly string[];
  /**
   * 32 bytes that are the same for the same key and purpose. They belong to the receiver.
   *
   * @throws UnknownKeyError
   */
  deriveKey(keyId: string, purpose: string): Uint8Array;
}
