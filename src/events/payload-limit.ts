import { ValidationError } from '../core/index.js';

/** The longest encoded event unless an option says otherwise: 1 MiB, as in NATS. */
export const defaultMaxPayloadBytes = 1_048_576;

/** @throws ValidationError when the UTF-8 form of `text` is longer than `maxBytes` */
export function assertPayloadFits(text: string, maxBytes: number, subject: string): void {
  // A UTF-16 unit is at most three bytes, so most texts need not be measured.
  if (text.length * 3 <= maxBytes) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    const message = `has ${bytes} bytes, more than maxPayloadBytes (${maxBytes}); store it elsewhere and send where it is`;
    throw new ValidationError(subject, [{ path: [], message }]);
  }
}
