import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { chunkedOpen, chunkedSeal } from '@safla/sdk/encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedOpener } from '../../src/encryption/chunked/chunked-opener.js';
import { ChunkedSealer } from '../../src/encryption/chunked/chunked-sealer.js';
import { InputKey } from '../../src/encryption/chunked/input-key.js';
import { prefixBytes } from '../../src/encryption/chunked/message-key.js';

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly key: string;
  readonly ctx: string;
  readonly ct: string;
  readonly msgLength?: number;
  readonly msgSha512?: string;
  readonly result: 'valid' | 'invalid';
  readonly flags: readonly string[];
}

const { tests: vectors } = JSON.parse(
  readFileSync(new URL('./data/cobblestone-256.json', import.meta.url), 'utf8'),
) as { tests: Vector[] };

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const sha512 = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('hex');
const refused = expect.objectContaining({ code: 'DECRYPT_FAILED' });

/** The format again, from the specification, sharing no code with what is tested. */
function reference(key: Buffer, salt: Buffer, context: Buffer, plain: Buffer): Buffer {
  const info = Buffer.concat([Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0'), salt, context]);
  const first = createHmac('sha512', key)
    .update(Buffer.concat([info, Buffer.of(1)]))
    .digest();
  const second = createHmac('sha512', key)
    .update(Buffer.concat([first, info, Buffer.of(2)]))
    .digest();
  const okm = Buffer.concat([first, second]);
  const out = [salt, okm.subarray(44, 76)];
  for (let at = 0, index = 0n; at <= plain.length; at += 16_384, index++) {
    const nonce = BigInt(`0x${okm.subarray(32, 44).toString('hex')}`) ^ index;
    const cipher = createCipheriv('aes-256-gcm', okm.subarray(0, 32), hex(nonce.toString(16).padStart(24, '0')));
    out.push(cipher.update(plain.subarray(at, at + 16_384)), cipher.final(), cipher.getAuthTag());
  }
  return Buffer.concat(out);
}

function streamOpen(
  key: Buffer,
  context: Buffer,
  sealed: Buffer,
  pieceBytes: number,
): { plain: Buffer; error?: unknown } {
  const out: Buffer[] = [];
  try {
    const opener = new ChunkedOpener(new InputKey(key), context, sealed.subarray(0, prefixBytes));
    for (let at = prefixBytes; at < sealed.length; at += pieceBytes)
      out.push(...opener.update(sealed.subarray(at, at + pieceBytes)));
    out.push(opener.final());
    return { plain: Buffer.concat(out) };
  } catch (error) {
    return { plain: Buffer.concat(out), error };
  }
}

describe('Wycheproof vectors of Cobblestone-256', () => {
  it('are read from the file', () => expect(vectors.length).toBe(29));

  it.each(vectors)('$tcId: $comment', ({ key, ctx, ct, result, msgLength, msgSha512, flags }) => {
    const open = (): Buffer => chunkedOpen(hex(key), hex(ctx), inflateSync(hex(ct)));
    if (result === 'valid') {
      const plain = open();
      expect([plain.length, sha512(plain)]).toEqual([msgLength, msgSha512]);
      // Sealed again with the vector's salt, it is the vector.
      const sealer = new ChunkedSealer(new InputKey(hex(key)), hex(ctx), inflateSync(hex(ct)).subarray(0, 24));
      expect(Buffer.concat([sealer.prefix, ...sealer.update(plain), ...sealer.final()])).toEqual(inflateSync(hex(ct)));
    } else if (flags.includes('InvalidKeySize')) {
      expect(open).toThrow(expect.objectContaining({ code: 'VALIDATION' }));
    } else {
      expect(open).toThrow(refused);
    }
  });

  it.each(vectors.filter(({ flags }) => !flags.includes('InvalidKeySize')))(
    '$tcId as a stream: $comment',
    ({ key, ctx, ct, result, msgLength = 0, msgSha512 }) => {
      for (const pieceBytes of [1_000, 16_400, 1 << 20]) {
        const { plain, error } = streamOpen(hex(key), hex(ctx), inflateSync(hex(ct)), pieceBytes);
        expect(error === undefined).toBe(result === 'valid');
        if (error) expect(error).toEqual(refused);
        expect(plain.length).toBeLessThanOrEqual(msgLength);
        if (plain.length === msgLength && msgSha512) expect(sha512(plain)).toBe(msgSha512);
      }
    },
  );
});

describe('chunkedSeal and chunkedOpen', () => {
  const key = randomBytes(32);
  const context = Buffer.from('context');

  it('write the format of the specification at every edge of a chunk, past 256 chunks too', () => {
    for (const length of [0, 1, 16_383, 16_384, 16_385, 32_768, 257 * 16_384 + 5]) {
      const plain = randomBytes(length);
      const sealed = chunkedSeal(key, context, plain);
      expect(sealed.equals(reference(key, sealed.subarray(0, 24), context, plain))).toBe(true);
      expect(sealed.length).toBe(length + 56 + 16 * (Math.floor(length / 16_384) + 1));
      expect(chunkedOpen(key, context, sealed).equals(plain)).toBe(true);
    }
  });

  it('count chunks over the whole nonce, carrying into its 8th byte at 2^32', () => {
    // Chunk numbers that no test can reach by writing: asked of the cipher directly.
    return import('../../src/encryption/chunked/chunk-cipher.js').then(({ ChunkCipher }) => {
      const baseNonce = randomBytes(12);
      const cipher = new ChunkCipher({ key: Buffer.from(key), baseNonce, commitment: Buffer.alloc(32) }, 'x');
      for (const index of [255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 38 - 1]) {
        const nonce = (BigInt(`0x${baseNonce.toString('hex')}`) ^ BigInt(index)).toString(16).padStart(24, '0');
        const expected = createCipheriv('aes-256-gcm', key, hex(nonce));
        const out: Buffer[] = [];
        cipher.seal(index, context, out);
        const body = expected.update(context);
        expected.final();
        expect(out).toEqual([body, expected.getAuthTag()]);
      }
      expect(() => cipher.seal(2 ** 38, context, [])).toThrow(expect.objectContaining({ code: 'KEY_EXHAUSTED' }));
    });
  });

  it.each([0, 727, 728, 729, 100_000])('derive by the specification for a context of %i bytes', (length) => {
    const bound = randomBytes(length);
    const sealed = chunkedSeal(key, bound, context);
    expect(sealed.equals(reference(key, sealed.subarray(0, 24), bound, context))).toBe(true);
  });

  it('derive nothing under a key that was wiped', () => {
    const input = new InputKey(key);
    input.wipe();
    expect(() => input.derive(randomBytes(24), context)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('round-trip any message and context, in pieces of any size', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0, maxLength: 40_000, size: 'max' }),
        fc.uint8Array({ maxLength: 80 }),
        fc.integer({ min: 1, max: 20_000 }),
        (message, ctx, pieceBytes) => {
          const plain = Buffer.from(message);
          const sealer = new ChunkedSealer(new InputKey(key), ctx);
          const parts = [sealer.prefix];
          for (let at = 0; at < plain.length; at += pieceBytes)
            parts.push(...sealer.update(plain.subarray(at, at + pieceBytes)));
          const sealed = Buffer.concat([...parts, ...sealer.final()]);
          expect(chunkedOpen(key, ctx, sealed).equals(plain)).toBe(true);
          expect(streamOpen(key, Buffer.from(ctx), sealed, pieceBytes).plain.equals(plain)).toBe(true);
        },
      ),
    );
  });

  it('refuse every change of a single byte, every cut and every extension', () => {
    const sealed = chunkedSeal(key, context, Buffer.from('attack at dawn'));
    for (let at = 0; at < sealed.length; at++) {
      for (const bit of [1, 0x80]) {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ bit;
        expect(() => chunkedOpen(key, context, changed), `byte ${at}`).toThrow(refused);
      }
      expect(() => chunkedOpen(key, context, sealed.subarray(0, at)), `cut at ${at}`).toThrow(refused);
    }
    for (const more of [1, 15, 16, 17]) {
      expect(() => chunkedOpen(key, context, Buffer.concat([sealed, Buffer.alloc(more)]))).toThrow(refused);
    }
  });

  it('refuse chunks that were swapped, dropped, doubled, or taken from another message', () => {
    const sealed = chunkedSeal(key, context, randomBytes(3 * 16_384 + 9));
    const other = chunkedSeal(key, context, randomBytes(3 * 16_384 + 9));
    const chunk = (from: Buffer, index: number): Buffer =>
      from.subarray(56 + index * 16_400, 56 + (index + 1) * 16_400);
    const [head, a, b, c, end] = [
      sealed.subarray(0, 56),
      chunk(sealed, 0),
      chunk(sealed, 1),
      chunk(sealed, 2),
      chunk(sealed, 3),
    ];
    expect(chunkedOpen(key, context, Buffer.concat([head, a, b, c, end]))).toHaveLength(3 * 16_384 + 9);
    for (const parts of [
      [b, a, c, end],
      [a, c, end],
      [a, b, c],
      [a, b, end],
      [a, a, b, c, end],
      [a, b, c, c, end],
      [a, b, c, end, end],
      [end],
      [a, chunk(other, 1), c, end],
      [a, b, c, chunk(other, 3)],
    ]) {
      expect(() => chunkedOpen(key, context, Buffer.concat([head, ...parts]))).toThrow(refused);
    }
  });

  it('refuse another key and another context', () => {
    const sealed = chunkedSeal(key, 'user:1', Buffer.from('x'));
    expect(() => chunkedOpen(randomBytes(32), 'user:1', sealed)).toThrow(refused);
    expect(() => chunkedOpen(key, 'user:2', sealed)).toThrow(refused);
    expect(() => chunkedOpen(key, '', sealed)).toThrow(refused);
  });

  it.each([0, 16, 31, 33])('refuse a key of %i bytes', (length) => {
    const invalid = expect.objectContaining({ code: 'VALIDATION' });
    expect(() => chunkedSeal(Buffer.alloc(length), '', Buffer.alloc(1))).toThrow(invalid);
    expect(() => chunkedOpen(Buffer.alloc(length), '', Buffer.alloc(100))).toThrow(invalid);
  });

  it('open what was sealed elsewhere in the same memory, and leave the input alone', () => {
    const backing = Buffer.alloc(100, 7);
    const plain = backing.subarray(10, 60);
    const sealed = chunkedSeal(key, '', plain);
    expect(backing.every((byte) => byte === 7)).toBe(true);
    const before = Buffer.from(sealed);
    expect(chunkedOpen(key, '', sealed)).toEqual(plain);
    expect(sealed).toEqual(before);
  });
});
