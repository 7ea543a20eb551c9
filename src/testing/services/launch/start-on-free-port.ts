import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Awaitable, CallScope } from '../../../core/index.js';
import { freePort } from './free-port.js';
import { type ServerCommand, ServerProcess } from './server-process.js';
import type { Watchdog } from './watchdog.js';

/** How one server is started, whatever port it gets. */
export interface StartPlan<T> {
  command(port: number): Awaitable<ServerCommand>;
  /** Gives a value once the server of this very process accepts work. */
  probe(port: number, pid: number): Promise<T | undefined>;
  readonly scope: CallScope;
  readonly watchdog: Watchdog;
}

/** A server that accepts work. */
export interface StartedServer<T> {
  readonly process: ServerProcess;
  readonly port: number;
  /** What the probe gave. */
  readonly answer: T;
}

const portAttempts = 5;

/**
 * Starts a server on a port that the kernel gives, and again on another one when somebody took it
 * in between.
 *
 * @throws ConnectionError with the end of the server's log
 */
export async function startOnFreePort<T>(plan: StartPlan<T>): Promise<StartedServer<T>> {
  const { scope, watchdog } = plan;
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const command = await plan.command(port);
    const server = await ServerProcess.start(command, watchdog);
    try {
      const answer = await server.ready(() => plan.probe(port, server.pid), scope);
      return { process: server, port, answer };
    } catch (error) {
      await server.stop();
      const log = await readFile(join(command.folder, 'log'), 'utf8').catch(() => '');
      if (attempt === portAttempts || scope.cancelled || !/address already in use|port is already allocated/i.test(log))
        throw error;
    }
  }
}
