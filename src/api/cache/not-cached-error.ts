import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/**
 * No stored answer may be used, and the server was not or could not be asked: what a cache answers with 504
 * (RFC 9111 sections 5.2.1.7 and 5.2.2.2). Either the request said `only-if-cached`; or the stored
 * answer has to be revalidated and the server gave no answer, which is then the `cause`, and retryable.
 */
export class NotCachedError extends SaflaError {
  static {
    nameError(this, 'NotCachedError');
  }

  /** As a cache between us and the server would have answered. */
  readonly status: 504 = 504;

  constructor(subject: string, options: { readonly cause?: unknown } = {}) {
    const { cause } = options;
    const reason =
      cause === undefined
        ? 'is not stored, and only-if-cached forbids to ask'
        : 'must be revalidated, and the server could not be asked';
    super(`${subject}: the answer ${reason}`, { code: 'NOT_CACHED', retryable: cause !== undefined, cause });
  }
}
