import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/** The authorization server gave no token. Retryable when it may later: 429 and 5xx. */
export class OAuth2Error extends SaflaError {
  static {
    nameError(this, 'OAuth2Error');
  }

  /** The status of its answer. */
  readonly status: number;
  /** Its reason, such as `invalid_client` (RFC 6749 section 5.2); absent when it gave none. */
  readonly reason?: string;

  constructor(subject: string, status: number, reason: string | undefined, what: string) {
    super(`${subject}: ${what}`, { code: 'OAUTH2', retryable: status === 429 || status >= 500 });
    this.status = status;
    if (reason !== undefined) this.reason = reason;
  }
}
