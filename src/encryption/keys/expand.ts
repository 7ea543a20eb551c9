import { createHmac, type KeyObject } from 'node:crypto';

/**
 * 32 bytes for one purpose, from a uniformly random key: HKDF-Expand with SHA-512 (RFC 5869, section
 * 2.3), first block. `info` must be made so that no two purposes share one.
 */
export function expandKey(key: KeyObject | Uint8Array, info: Uint8Array): Buffer {
  const block = createHmac('sha512', key).update(info).update(Buffer.of(1)).digest();
  const out = Buffer.from(block.subarray(0, 32));
  block.fill(0);
  return out;
}
