import { crc32c } from './crc32c.js';

/**
 * A frame is a frameMark, the length of its payload, the CRC-32C of the payload, and the payload. Numbers are
 * little-endian uint32. The mark lets a reader tell a torn end from damage in the middle: after a torn
 * end there is no further frame.
 */
export const frameMark: Buffer = Buffer.from('\u00b6vf1', 'latin1');
const headBytes = 12;

/** The payload as a frame. */
export function toFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + payload.length);
  frameMark.copy(frame, 0);
  frame.writeUInt32LE(payload.length, 4);
  frame.writeUInt32LE(crc32c(payload), 8);
  frame.set(payload, headBytes);
  return frame;
}

/** What stands at an offset of a file. */
export type FrameRead =
  | { readonly state: 'whole'; readonly payload: Buffer; readonly next: number }
  /** The file ends here. */
  | { readonly state: 'end' }
  /** Not a whole frame, and none follows: what a crash leaves of an unfinished write. */
  | { readonly state: 'torn' }
  /** Not a whole frame, although whole ones follow. */
  | { readonly state: 'damaged' };

/** Reads the frame at `offset`. The payload is a view. */
export function readFrame(file: Buffer, offset: number): FrameRead {
  if (offset === file.length) return { state: 'end' };
  const whole = wholeFrame(file, offset);
  if (whole) return whole;
  for (let at = file.indexOf(frameMark, offset + 1); at >= 0; at = file.indexOf(frameMark, at + 1)) {
    if (wholeFrame(file, at)) return { state: 'damaged' };
  }
  return { state: 'torn' };
}

function wholeFrame(file: Buffer, offset: number): Extract<FrameRead, { state: 'whole' }> | undefined {
  const begin = offset + headBytes;
  if (begin > file.length || file.compare(frameMark, 0, frameMark.length, offset, offset + frameMark.length) !== 0)
    return undefined;
  const next = begin + file.readUInt32LE(offset + 4);
  if (next > file.length) return undefined;
  const payload = file.subarray(begin, next);
  return crc32c(payload) === file.readUInt32LE(offset + 8) ? { state: 'whole', payload, next } : undefined;
}
