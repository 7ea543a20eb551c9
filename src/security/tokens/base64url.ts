const alphabet = /^[\w-]+$/;

/** How many of the six bits of the last character carry nothing, by length modulo 4. */
const idleBits: readonly number[] = [0, -1, 0b1111, 0b0011];

/**
 * Bytes of a base64url text in its one valid form (RFC 4648 section 5, RFC 7515 section 2): no padding, no
 * other characters, no bits left over; undefined for every other spelling, so that a token has only one.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!alphabet.test(text)) return undefined;
  const idle = idleBits[text.length % 4] ?? -1;
  if (idle < 0 || (idle > 0 && (sextet(text.charCodeAt(text.length - 1)) & idle) !== 0)) return undefined;
  return Buffer.from(text, 'base64url');
}

/** The value of a character of the alphabet. */
function sextet(code: number): number {
  if (code >= 97) return code - 71;
  if (code === 95) return 63;
  if (code >= 65) return code - 65;
  return code === 45 ? 62 : code + 4;
}
