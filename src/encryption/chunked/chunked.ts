import { bytesOf, invalid } from '../bytes.js';
import { openWhole } from './chunked-opener.js';
import { sealWhole } from './chunked-sealer.js';
import { InputKey } from './input-key.js';
import { keyBytes } from './message-key.js';

/**
 * Seals one message in the C2SP chunked format with AES-256-GCM and SHA-512 (Cobblestone-256,
 * c2sp.org/chunked-encryption): 24 bytes of random salt, a commitment of 32 bytes, then chunks of
 * 16 KiB, each with a tag of 16 bytes. The result is 72 bytes longer than the message, and 16 more for
 * each full chunk. One key seals 2^80 messages safely. It works at once, on the calling thread.
 *
 * @param key 32 bytes, uniformly random: never a password
 * @param context What the message belongs to; needed again to open it. A text counts as its UTF-8.
 * @throws ValidationError for another length of the key, or a lone surrogate in the context
 */
export function chunkedSeal(key: Uint8Array, context: string | Uint8Array, bytes: Uint8Array): Buffer {
  return withKey(key, (input) => sealWhole(input, bytesOf(context, 'context'), bytesOf(bytes, 'message')));
}

/**
 * Opens what {@link chunkedSeal}, or any other implementation of Cobblestone-256, has sealed.
 *
 * @throws DecryptError when anything was changed, cut or added, or key or context are others
 * @throws ValidationError for a key that is not 32 bytes long
 */
export function chunkedOpen(key: Uint8Array, context: string | Uint8Array, bytes: Uint8Array): Buffer {
  return withKey(key, (input) =>
    openWhole(input, bytesOf(context, 'context'), bytesOf(bytes, 'sealed message'), 'the message'),
  );
}

function withKey(key: Uint8Array, use: (key: InputKey) => Buffer[]): Buffer {
  if (!(key instanceof Uint8Array) || key.length !== keyBytes) throw invalid('key', `must be ${keyBytes} bytes`);
  const input = new InputKey(key);
  try {
    return Buffer.concat(use(input));
  } finally {
    input.wipe();
  }
}
