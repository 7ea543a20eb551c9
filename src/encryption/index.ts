export { constantTimeEqual } from './bytes.js';
export { chunkedOpen, chunkedSeal } from './chunked/chunked.js';
export { DecryptError } from './decrypt-error.js';
export {
  type EncryptedText,
  EncryptionIntegration,
  type EncryptionIntegrationOptions,
} from './encryption-integration.js';
export { Encryptor } from './encryptor.js';
export type {
  BlindIndexOptions,
  EncryptorOptions,
  RangeOptions,
  SealContext,
  SealOptions,
} from './encryptor-options.js';
export type { SealedFields } from './fields/sealed-fields.js';
export type { TokenInfo } from './inspect.js';
export { KeyExhaustedError } from './key-exhausted-error.js';
export { AwsKmsKeyring, type AwsKmsKeyringOptions } from './keyrings/aws-kms-keyring.js';
export type { KeyServiceClient } from './keyrings/key-http.js';
export { type LocalKey, LocalKeyring, type LocalKeyState } from './keyrings/local-keyring.js';
export type { Argon2Settings, PasswordKdf, ScryptSettings } from './keyrings/password-kdf.js';
export { PasswordKeyring, type PasswordKeyringOptions } from './keyrings/password-keyring.js';
export { type AwsCredentials, type SignableRequest, signV4 } from './keyrings/sigv4.js';
export { VaultKeyring, type VaultKeyringOptions } from './keyrings/vault-keyring.js';
export type { DataKeyPair, KeyProvider, KeyRequest, MacKeys, WrappedKey } from './keys/key-provider.js';
export type { FileLike, RangeReader, RangeSource } from './streams/range-source.js';
export type { ByteSource } from './streams/run-stage.js';
export { UnknownKeyError } from './unknown-key-error.js';
