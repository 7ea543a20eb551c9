import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/**
 * Why a token was not accepted:
 * `malformed` not a token in its strict form; `forged` the signature, or the algorithm for its key, is not right;
 * `unknown-key` its key is none of ours, or retired; `expired`; `early` not valid yet; `claims` a claim is missing
 * or for someone else; `payload` the schema refuses it; `revoked`; `reused` a refresh token came a second time.
 */
export type TokenFault =
  | 'malformed'
  | 'forged'
  | 'unknown-key'
  | 'expired'
  | 'early'
  | 'claims'
  | 'payload'
  | 'revoked'
  | 'reused';

/**
 * A token was not accepted. The message is the same for every reason, so that it can go to whoever sent the
 * token; `kind` and `detail` are for your logs. Holds nothing of the token.
 */
export class TokenError extends SaflaError {
  static {
    nameError(this, 'TokenError');
  }

  readonly kind: TokenFault;
  /** What exactly, without a value of the token: `aud is not for this service`. Not for the sender. */
  readonly detail: string;

  constructor(kind: TokenFault, detail: string) {
    super('Invalid token', { code: 'TOKEN_REJECTED' });
    this.kind = kind;
    this.detail = detail;
  }
}
