import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ConnectionError, TimeoutError } from '../../core/index.js';
import type { Exchange, WireLimits } from './exchange.js';
import type { HTTPHeaders } from './transport.js';

/** Tells an exchange what happens to a request of `node:http`, and ends it when a limit of time is over. */
export function reportTo(exchange: Exchange, outgoing: ClientRequest, limits: WireLimits, subject: () => string): void {
  let incoming: IncomingMessage | undefined;
  outgoing.on('error', (error) => exchange.fail(error));
  // Without an error, when the server switches protocols unasked.
  outgoing.on('close', () => {
    if (!incoming) exchange.fail(new ConnectionError(`${subject()}: the connection was given up without an answer`));
  });
  outgoing.on('response', (response) => {
    incoming = response;
    response.on('error', (error) => exchange.fail(error));
    response.on('data', (chunk: Buffer) => exchange.body.push(chunk));
    response.on('end', () => exchange.end());
    exchange.begin(response.statusCode ?? 0, response.headers as HTTPHeaders);
  });
  const { connectTimeoutMs, idleTimeoutMs } = limits;
  outgoing.on('socket', (socket) => {
    if (!socket.connecting || connectTimeoutMs === Number.POSITIVE_INFINITY) return;
    const timer = setTimeout(() => {
      outgoing.destroy(new TimeoutError(`${subject()}: connecting`, connectTimeoutMs));
    }, connectTimeoutMs);
    const done = (): void => clearTimeout(timer);
    socket.once(isSecure(socket) ? 'secureConnect' : 'connect', done).once('close', done);
  });
  if (idleTimeoutMs < Number.POSITIVE_INFINITY) {
    outgoing.setTimeout(idleTimeoutMs, () => {
      outgoing.destroy(new TimeoutError(`${subject()}: waiting for data`, idleTimeoutMs));
    });
  }
  exchange.connect({
    pause: () => incoming?.pause(),
    resume: () => incoming?.resume(),
    destroy: () => outgoing.destroy(),
  });
}

function isSecure(socket: Socket): boolean {
  return 'encrypted' in socket;
}
