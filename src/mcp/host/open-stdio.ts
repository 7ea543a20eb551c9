import { ConnectionError, type Logger, ProtocolError, TimeoutError } from '../../core/index.js';
import { importOptional, lazy } from '../../core/internal.js';
import type { StdioServerConfig } from '../config/mcp-config.js';
import { loadClientSDK } from '../sdk/client-sdk.js';
import type { MCPAnswers } from './mcp-answers.js';
import { MCPClient } from './mcp-client.js';
import { SecretMask } from './secret-mask.js';
import { ServerProcess } from './server-process.js';
import { StdioTransport } from './stdio-transport.js';

/** What {@link openStdio} needs to know. Times are in milliseconds. */
export interface OpenStdioOptions {
  readonly name: string;
  readonly config: StdioServerConfig;
  /** Greets the old way at once: the server is known to speak a protocol before 2026-07-28. */
  readonly legacy: boolean;
  readonly startTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly answers: MCPAnswers;
  readonly logger: Logger;
  /** Asked before each process is started; rejects when it may not be. */
  readonly askConsent: () => Promise<void>;
  /** Gets each process as soon as it runs, so that it can be ended before it has answered. */
  readonly onProcess: (process: ServerProcess) => void;
  readonly onToolsChanged: () => void;
}

/** A server that did not even start gets little time to end. */
const failedStopMs = 1_000;

/** The few variables every server gets, as the official client passes them. */
const inheritedEnvironment = lazy(() =>
  importOptional('@modelcontextprotocol/client', 'MCPHost', async () => {
    try {
      return (await import('@modelcontextprotocol/client/stdio')).getDefaultEnvironment();
    } catch (error) {
      return Promise.reject(error);
    }
  }),
);

/**
 * Starts a server and agrees on a protocol with it.
 *
 * The first message asks for the protocol of 2026-07-28. Servers on some older libraries end when
 * the first message is not `initialize`: one that ends without a word is started once more and
 * greeted the old way.
 *
 * @throws ConnectionError, ProtocolError or TimeoutError that names the server, its command and what it printed last
 */
export async function openStdio(options: OpenStdioOptions): Promise<MCPClient> {
  const deadline = Date.now() + options.startTimeoutMs;
  const first = await attempt(options, options.startTimeoutMs, options.legacy);
  if (first instanceof MCPClient) return first;
  if (!first.endedSilently || options.legacy) throw first.error;
  const second = await attempt(options, Math.max(1, deadline - Date.now()), true);
  if (second instanceof MCPClient) return second;
  throw second.error;
}

interface Failure {
  readonly error: unknown;
  readonly endedSilently: boolean;
}

async function attempt(options: OpenStdioOptions, timeoutMs: number, legacy: boolean): Promise<MCPClient | Failure> {
  const { name, config, callTimeoutMs, startTimeoutMs } = options;
  // Not while the process waits for its first message.
  await loadClientSDK();
  await options.askConsent();
  const process = await ServerProcess.start(name, config, await inheritedEnvironment(), options.logger);
  options.onProcess(process);
  const transport = new StdioTransport(process, failedStopMs);
  try {
    return await MCPClient.connect({
      label: `MCP server '${name}'`,
      server: name,
      answers: options.answers,
      onListenerError: (error) => options.logger.error({ server: name, error }, 'progress listener failed'),
      transport,
      legacy,
      timeoutMs,
      callTimeoutMs,
      mask: new SecretMask(config).of,
      onToolsChanged: options.onToolsChanged,
      epitaph: () => (process.ending === undefined ? undefined : `${process.shown} ${process.epitaph}`),
      probeTimeoutMs: Math.min(10_000, startTimeoutMs / 3),
    });
  } catch (error) {
    return {
      error: explain(error, options, process, transport),
      endedSilently: process.died && transport.received === 0,
    };
  }
}

function explain(
  error: unknown,
  options: OpenStdioOptions,
  process: ServerProcess,
  transport: StdioTransport,
): unknown {
  const { name, startTimeoutMs } = options;
  const label = `MCP server '${name}' (${process.shown})`;
  const words = process.stderr.text;
  const tail = words === '' ? ', printing nothing on stderr' : `; it printed last: ${words}`;
  if (process.died)
    return new ConnectionError(`${label} ${process.ending} before it answered${tail}`, { cause: error });
  if (transport.garbage > 0 && !(error instanceof ProtocolError && transport.received > 0)) {
    const what = `${transport.garbage} lines on stdout that are not JSON-RPC, and no answer`;
    return new ProtocolError(`${label} gave ${what}${tail}`, { cause: error });
  }
  if (error instanceof TimeoutError)
    return new TimeoutError(`the start of ${label}${tail}: it`, startTimeoutMs, { cause: error });
  return error;
}
