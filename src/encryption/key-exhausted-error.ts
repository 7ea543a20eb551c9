import { SaflaError } from '../core/index.js';
import { nameError } from '../core/internal.js';

/** A key may not seal this, since it would go over the limit of messages or bytes set for it. */
export class KeyExhaustedError extends SaflaError {
  static {
    nameError(this, 'KeyExhaustedError');
  }

  constructor(message: string) {
    super(message, { code: 'KEY_EXHAUSTED' });
  }
}
