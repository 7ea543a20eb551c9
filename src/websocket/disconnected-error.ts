import { ConnectionError } from '../core/index.js';
import { nameError } from '../core/internal.js';
import { describeEnding, type Ending } from './ending.js';

/** The connection ended before the answer came, or before the message was sent. Retryable: what the server did is unknown. */
export class DisconnectedError extends ConnectionError {
  static {
    nameError(this, 'DisconnectedError');
  }

  /** The close code (RFC 6455 section 7.4); 1006 when the connection broke without one. */
  readonly closeCode: number;

  constructor(name: string, ending: Ending) {
    super(`The connection to ${name} ended: ${describeEnding(ending)}`, { cause: ending.error });
    this.closeCode = ending.code;
  }
}
