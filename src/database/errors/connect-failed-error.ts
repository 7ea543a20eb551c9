import { ConnectionError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/** No connection could be made: no server there, no answer in time, or a server that takes none now. Nothing was sent. */
export class ConnectFailedError extends ConnectionError {
  static {
    nameError(this, 'ConnectFailedError');
  }

  readonly kind = 'connect-failed';
}
