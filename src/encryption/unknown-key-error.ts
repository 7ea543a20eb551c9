import { SaflaError } from '../core/index.js';
import { nameError } from '../core/internal.js';

/** Sealed data names a key that this provider does not hold, or may no longer use. */
export class UnknownKeyError extends SaflaError {
  static {
    nameError(this, 'UnknownKeyError');
  }

  /** The id as the sealed data names it; public. */
  readonly keyId: string;

  /** @param reason Why it cannot be used, when it is known: `it is retired`. */
  constructor(
    keyId: string,
    reason = 'the key provider does not hold it; add the key, or open this with the provider that sealed it',
  ) {
    super(`Key ${JSON.stringify(keyId)} cannot be used: ${reason}`, { code: 'UNKNOWN_KEY' });
    this.keyId = keyId;
  }
}
