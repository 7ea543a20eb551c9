import { ConnectionError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/**
 * The connection broke while a statement ran. Outside of a transaction it is unknown whether the statement
 * took effect; inside of one nothing did, unless the commit itself was under way.
 */
export class ConnectionLostError extends ConnectionError {
  static {
    nameError(this, 'ConnectionLostError');
  }

  readonly kind = 'connection-lost';
}
