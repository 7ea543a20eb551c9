import { SaflaError } from '../core/index.js';
import { nameError } from '../core/internal.js';

/**
 * Something sealed could not be opened. One code and one text for every reason (changed, cut, extended,
 * other key, other context, not a token at all), so that it tells an attacker nothing; there is no cause.
 */
export class DecryptError extends SaflaError {
  static {
    nameError(this, 'DecryptError');
  }

  /** @param subject What was opened, as it reads in the error: `the token`. Never its content. */
  constructor(subject = 'the data') {
    super(
      `Decryption of ${subject} failed: it was changed or cut, or the key or the context is not the one it was sealed with`,
      {
        code: 'DECRYPT_FAILED',
      },
    );
  }
}
