import { nameError, SaflaError } from './safla-error.js';

/** This engine, transport or setting cannot do what was asked. The message names one that can. */
export class UnsupportedError extends SaflaError {
  static {
    nameError(this, 'UnsupportedError');
  }

  constructor(message: string) {
    super(message, { code: 'UNSUPPORTED' });
  }
}
