import { randomFillSync } from 'node:crypto';

const size = 8_192;
const pool: Buffer = Buffer.alloc(size);
let at = size;

/**
 * Random bytes for what is public anyway (salts, nonces), from a pool: asking the system for a few at a
 * time costs as much as encrypting a message. Bytes are given out once. Not for secrets: they stay in the pool.
 */
export function publicRandom(length: number): Buffer {
  if (at + length > size) {
    randomFillSync(pool);
    at = 0;
  }
  const out = Buffer.allocUnsafe(length);
  pool.copy(out, 0, at, at + length);
  at += length;
  return out;
}
