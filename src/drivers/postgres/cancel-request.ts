import type { EventEmitter } from 'node:events';
import type { DriverClient } from './client.js';
import { loadDriver } from './driver.js';

/** What `pg` exports as `Connection`, with the methods that a cancel request takes. */
interface CancelConnection extends EventEmitter {
  readonly stream: { destroy(): void };
  connect(portOrPath: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

/**
 * Asks the server to stop what this client's connection runs: a CancelRequest on a connection of its own
 * (PostgreSQL documentation, "Canceling Requests in Progress"). Settles when the server has taken the
 * request, which it says by hanging up, or after `timeoutMs`. Never rejects: whether it worked shows on
 * the statement.
 */
export async function requestCancel(client: DriverClient, timeoutMs: number): Promise<void> {
  const { processID, secretKey, host, port, ssl } = client;
  if (typeof processID !== 'number' || typeof secretKey !== 'number' || host === undefined) return;
  const pg = await loadDriver();
  const Connection = pg.Connection as unknown as new (config: { ssl: unknown; keepAlive: boolean }) => CancelConnection;
  const connection = new Connection({ ssl: ssl ?? false, keepAlive: false });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const send = (): void => connection.cancel(processID, secretKey);
    connection.on('connect', () => (ssl ? connection.requestSsl() : send()));
    connection.on('sslconnect', send);
    connection.on('error', done);
    connection.on('end', done);
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port ?? 5432, host);
  });
  connection.stream.destroy();
}
