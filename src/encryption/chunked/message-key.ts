export const saltBytes = 24;
export const commitmentBytes = 32;
/** Salt and commitment stand before the first chunk. */
export const prefixBytes: number = saltBytes + commitmentBytes;
export const keyBytes = 32;
export const nonceBytes = 12;
/** Of SHA-512, with which keys of messages are derived. */
export const hashBytes = 64;

/** What one message is encrypted with, and the value that ties its ciphertext to key and context. */
export interface MessageKey {
  readonly key: Buffer;
  readonly baseNonce: Buffer;
  readonly commitment: Buffer;
}
