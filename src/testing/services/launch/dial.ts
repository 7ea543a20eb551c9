import { connect, type Socket } from 'node:net';
import { ConnectionError } from '../../../core/index.js';

/** How long a service may take to answer one readiness exchange, in milliseconds. */
const answerMs = 5_000;

/** Connects to a host and port. A peer that is silent for 5 seconds ends the socket with ConnectionError. */
export function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.setTimeout(answerMs, () => socket.destroy(new ConnectionError(`${host}:${port} is silent`)));
    socket.once('connect', () => {
      socket.off('error', fail);
      // The reader of the socket sees the error; this keeps one that comes between two reads from being unhandled.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    const fail = (error: NodeJS.ErrnoException): void =>
      reject(
        new ConnectionError(`${host}:${port} cannot be reached: ${error.message}`, {
          systemCode: error.code,
          cause: error,
        }),
      );
    socket.once('error', fail);
  });
}
