import { nameError, SaflaError } from './safla-error.js';

/** The object is closed or closing: new calls are refused, calls still running at the deadline end with this. */
export class ClosedError extends SaflaError {
  static {
    nameError(this, 'ClosedError');
  }

  constructor(subject: string) {
    super(`${subject} is closed`, { code: 'CLOSED' });
  }
}
