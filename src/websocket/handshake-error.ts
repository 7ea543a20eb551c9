import { ConnectionError } from '../core/index.js';
import { nameError } from '../core/internal.js';

/** The server answered the opening handshake with an HTTP status instead of a WebSocket (RFC 6455 section 4.2.2). */
export class HandshakeError extends ConnectionError {
  static {
    nameError(this, 'HandshakeError');
  }

  /** 401 or 403: the credentials were not taken; 404: nothing listens at that path. */
  readonly status: number;

  constructor(name: string, status: number) {
    super(`${name} refused the WebSocket handshake with status ${status}`);
    this.status = status;
  }
}
