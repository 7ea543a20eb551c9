import { setImmediate } from 'node:timers/promises';
import type { CallScope } from '../../core/index.js';

/** Bytes that are worked on at once: less than a millisecond, so that the event loop keeps going. */
export const sliceBytes: number = 128 * 1024;

/** Lets the event loop run. @throws the reason when the call was cancelled meanwhile */
export async function breathe(scope: CallScope): Promise<void> {
  await setImmediate();
  scope.throwIfCancelled();
}

/** Bytes or a text in pieces of at most {@link sliceBytes} bytes or characters; surrogate pairs stay together. */
export function* slices(data: string | Uint8Array): Generator<string | Uint8Array> {
  for (let at = 0; at < data.length; ) {
    let end = Math.min(at + sliceBytes, data.length);
    if (typeof data === 'string') {
      if (end < data.length && isHighSurrogate(data.charCodeAt(end - 1))) end -= 1;
      yield data.slice(at, end);
    } else {
      yield data.subarray(at, end);
    }
    at = end;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
