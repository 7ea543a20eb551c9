import { nameError, SaflaError } from './safla-error.js';

/** The caller is known but may not do this. */
export class AccessDeniedError extends SaflaError {
  static {
    nameError(this, 'AccessDeniedError');
  }

  constructor(message: string) {
    super(message, { code: 'ACCESS_DENIED' });
  }
}
