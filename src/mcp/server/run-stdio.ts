import type { Awaitable } from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import type { MCPServer } from './mcp-server.js';

/** Settings of {@link runStdio}. */
export interface RunStdioOptions {
  /**
   * How long the process may still take to end by itself once the server has closed, in
   * milliseconds. After that it is ended.
   *
   * @default 5000
   */
  readonly exitAfterMs?: number;
}

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * The main line of an executable MCP server: serves stdio until the client closes its end or a
 * SIGINT or SIGTERM arrives, closes the server and resolves, so that `await using` after it cleans
 * up. A second signal ends the process at once. When the server cannot be made or started, one line
 * on stderr says why and the exit code is 1.
 *
 * Only for executables: it listens to signals and sets the exit code.
 *
 * @param server A server, or a function that makes one, whose errors are reported the same way.
 * @example await runStdio(new MCPServer({ name: 'demo', version: '1.0.0', tools: [add] }));
 */
export async function runStdio(
  server: MCPServer | (() => Awaitable<MCPServer>),
  options: RunStdioOptions = {},
): Promise<void> {
  let running: MCPServer | undefined;
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    release();
    running?.close().catch(report);
  };
  const release = (): void => {
    for (const signal of signals) process.off(signal, stop);
  };
  for (const signal of signals) process.on(signal, stop);
  try {
    running = typeof server === 'function' ? await server() : server;
    if (stopping) return await running.close();
    await running.start();
    await running.closed;
  } catch (error) {
    if (!stopping) report(error);
    await running?.close().catch(report);
  } finally {
    release();
    setTimeout(() => process.exit(), options.exitAfterMs ?? 5_000).unref();
  }
}

function report(error: unknown): void {
  process.exitCode = 1;
  process.stderr.write(`${describeError(error)}\n`);
}
