import { nameError, SaflaError } from './safla-error.js';

/** A bounded queue had no room and its overflow policy is to refuse. Nothing was queued. */
export class QueueFullError extends SaflaError {
  static {
    nameError(this, 'QueueFullError');
  }

  constructor(subject: string, bound: string) {
    super(`${subject} is full (${bound})`, { code: 'QUEUE_FULL', retryable: true });
  }
}
