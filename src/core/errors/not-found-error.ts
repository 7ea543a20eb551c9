import { nameError, SaflaError } from './safla-error.js';

/** What was asked for does not exist. */
export class NotFoundError extends SaflaError {
  static {
    nameError(this, 'NotFoundError');
  }

  constructor(message: string) {
    super(message, { code: 'NOT_FOUND' });
  }
}
