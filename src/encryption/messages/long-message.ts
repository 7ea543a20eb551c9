import type { CallScope } from '../../core/index.js';
import { bytesOf } from '../bytes.js';
import { chunkBytes, sealedChunkBytes } from '../chunked/chunk-cipher.js';
import { ChunkedSealer } from '../chunked/chunked-sealer.js';
import { type OpeningKeyOf, OpenStage } from '../streams/open-stage.js';
import type { SealingKey } from '../streams/seal-stage.js';
import { breathe, slices } from './breathe.js';
import { piecesOfToken, TokenWriter } from './token-text.js';

/** Longer data than this is worked on in pieces, with the event loop running in between. */
export const longBytes: number = 128 * 1024;

/** Seals in the chunked format, piece by piece. */
export async function sealLong(
  data: string | Uint8Array,
  { key, header, binding }: SealingKey,
  scope: CallScope,
): Promise<string> {
  const sealer = new ChunkedSealer(key, binding);
  const writer = new TokenWriter();
  try {
    writer.add([header, sealer.prefix]);
    for (const slice of slices(data)) {
      writer.add(sealer.update(bytesOf(slice, 'data')));
      await breathe(scope);
    }
    writer.add(sealer.final());
    return writer.end();
  } finally {
    sealer.wipe();
  }
}

/** Opens a long token of the chunked format, piece by piece. Nothing is given out before all of it is authentic. */
export async function openLong(token: string, keyOf: OpeningKeyOf, scope: CallScope): Promise<Buffer> {
  const stage = new OpenStage(keyOf, 'the token');
  // No longer than the sealed bytes; pages that are not written cost nothing.
  const out = Buffer.alloc(Math.ceil((token.length * 3) / 4));
  let length = 0;
  try {
    const put = (parts: readonly Uint8Array[]): void => {
      for (const part of parts) {
        out.set(part, length);
        length += part.length;
      }
    };
    for (const piece of piecesOfToken(token)) {
      put(await stage.push(piece));
      await breathe(scope);
    }
    put(await stage.end());
    return out.subarray(0, length);
  } catch (error) {
    out.fill(0, 0, length);
    throw error;
  } finally {
    stage.wipe();
  }
}

/** Plaintext bytes of so many sealed ones, header and prefix not counted; undefined where no message has that length. */
export function plainBytes(bodyBytes: number): number | undefined {
  const full = Math.floor(bodyBytes / sealedChunkBytes);
  const last = bodyBytes - full * sealedChunkBytes - (sealedChunkBytes - chunkBytes);
  return bodyBytes < 0 || last < 0 ? undefined : full * chunkBytes + last;
}
