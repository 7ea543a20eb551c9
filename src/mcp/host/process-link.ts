import {
  AccessDeniedError,
  type CallOptions,
  ClosedError,
  ConnectionError,
  detach,
  type Health,
  openScope,
  quietClock,
  TimeoutError,
} from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import type { StdioServerConfig } from '../config/mcp-config.js';
import { Consent, type Link, type LinkOptions } from './link.js';
import type { MCPClient } from './mcp-client.js';
import { openStdio } from './open-stdio.js';
import { RestartPlan } from './restart-plan.js';
import type { ServerProcess } from './server-process.js';
import { Watchdog } from './watchdog.js';

/**
 * The link to a server that runs as a child process. One that ends by itself after it was ready is
 * started again, with pauses that grow, until it does so too often. One that did not even start, or
 * was given up, stays down until `open`.
 */
export class ProcessLink implements Link {
  readonly name: string;
  readonly config: StdioServerConfig;
  readonly #options: LinkOptions;
  readonly #consent: Consent;
  readonly #plan: RestartPlan;
  readonly #closing: AbortController = new AbortController();
  #client: MCPClient | undefined;
  /** The start or restart under way. */
  #opening: Promise<MCPClient> | undefined;
  #process: ServerProcess | undefined;
  #watchdog: Watchdog | undefined;
  #death: Error | undefined;
  #restarts = 0;
  /** How the server was greeted with success: a start after that need not find out again. */
  #legacy = false;

  constructor(name: string, config: StdioServerConfig, options: LinkOptions) {
    this.name = name;
    this.config = config;
    this.#options = options;
    this.#consent = new Consent(name, config, options.consent);
    this.#plan = new RestartPlan(options.restart || {});
  }

  async use<T>(ask: (client: MCPClient) => Promise<T>): Promise<T> {
    if (this.#death) throw this.#death;
    return ask(await this.#ready());
  }

  async open(): Promise<MCPClient> {
    if (this.#death) this.#plan.reset();
    return this.#ready();
  }

  async health(options: CallOptions): Promise<Health> {
    const details = { restarts: this.#restarts };
    if (this.#death) return { status: 'fail', output: this.#death.message, details: { ...details, state: 'down' } };
    if (!this.#client) {
      const state = this.#opening ? 'starting' : 'idle';
      const output = `MCP server '${this.name}' is ${this.#opening ? 'starting' : 'not started'}`;
      return { status: 'warn', output, details: { ...details, state } };
    }
    const health = await this.#client.health(options);
    return { ...health, details: { ...details, state: 'ready', ...health.details, pid: this.#process?.pid } };
  }

  async close(withinMs: number): Promise<void> {
    this.#closing.abort(new ClosedError(`MCP server '${this.name}'`));
    this.#watchdog?.stop();
    await this.#process?.stop(withinMs);
    await this.#client?.close({ timeoutMs: Math.max(1, withinMs) });
    this.#client = undefined;
  }

  /** The start belongs to all who wait for it: no one's end cancels it. */
  async #ready(): Promise<MCPClient> {
    if (this.#client) return this.#client;
    return this.#opening ?? this.#begin(() => this.#start());
  }

  #begin(start: () => Promise<MCPClient>): Promise<MCPClient> {
    this.#death = undefined;
    const opening = detach(start).finally(() => {
      if (this.#opening === opening) this.#opening = undefined;
    });
    this.#opening = opening;
    return opening;
  }

  async #start(): Promise<MCPClient> {
    try {
      return await this.#launch();
    } catch (error) {
      // Each call would start it in vain, and ask for consent again; a refusal may be reconsidered.
      if (!(error instanceof AccessDeniedError)) this.#giveUp(error as Error);
      throw error;
    }
  }

  /** Starts it after a pause, again and again, until it is ready or has ended too often. */
  async #restart(death: Error): Promise<MCPClient> {
    for (let error = death; ; ) {
      const delayMs = this.#plan.next();
      if (delayMs === undefined) throw this.#giveUp(this.#loop(error));
      this.#options.tell('restarting', { server: this.name, delayMs, error });
      using pause = openScope('a pause', { clock: quietClock, signal: this.#closing.signal });
      await pause.sleep(delayMs);
      this.#restarts += 1;
      try {
        return await this.#launch();
      } catch (failure) {
        if (this.#closing.signal.aborted) throw failure;
        error = failure as Error;
        this.#options.logger.warn({ server: this.name, error }, 'MCP server did not start again');
      }
    }
  }

  #loop(last: Error): Error {
    const { ends } = this.#plan;
    const message = `${last.message}; it ended ${ends} times in a row and is not started again until connect()`;
    return new ConnectionError(message, { cause: last });
  }

  #giveUp(error: Error): Error {
    this.#death = error;
    if (!this.#closing.signal.aborted) this.#options.tell('down', { server: this.name, error });
    return error;
  }

  async #launch(): Promise<MCPClient> {
    const { startTimeoutMs, callTimeoutMs, logger, tell, answers } = this.#options;
    const client = await openStdio({
      name: this.name,
      config: this.config,
      legacy: this.#legacy,
      startTimeoutMs,
      callTimeoutMs: this.config.timeout ?? callTimeoutMs,
      answers,
      logger,
      askConsent: this.#consent.ask,
      onProcess: (process) => {
        this.#process = process;
        if (this.#closing.signal.aborted) process.stop(1).catch(() => undefined);
      },
      onToolsChanged: () => tell('toolsChanged', { server: this.name }),
    });
    this.#legacy = client.isLegacy;
    await this.#watch(client, this.#process as ServerProcess);
    tell('ready', { server: this.name, restarts: this.#restarts });
    return client;
  }

  /** @throws ConnectionError when the process has ended already */
  async #watch(client: MCPClient, process: ServerProcess): Promise<void> {
    this.#client = client;
    const over = process.ended.then((ending) => {
      this.#options.logger.warn({ server: this.name, ending }, 'MCP server ended');
      this.#watchdog?.stop();
      return new ConnectionError(`MCP server '${this.name}' (${process.shown}) ${process.epitaph}`);
    });
    if (process.ending !== undefined) {
      this.#client = undefined;
      throw await over;
    }
    this.#guard(client, process);
    over.then((death) => {
      if (this.#client !== client) return;
      this.#client = undefined;
      if (this.#closing.signal.aborted) return;
      if (this.#options.restart === false) this.#giveUp(death);
      else this.#begin(() => this.#restart(death)).catch(() => undefined);
    });
  }

  /** A server that runs but does not answer is ended, which starts it again. */
  #guard(client: MCPClient, process: ServerProcess): void {
    const { healthEveryMs, logger } = this.#options;
    if (healthEveryMs === undefined) return;
    const ask = async (): Promise<boolean> =>
      (await client.health({ timeoutMs: Math.min(healthEveryMs, 5_000) })).status === 'pass';
    this.#watchdog = new Watchdog(healthEveryMs, ask, () => {
      const error = new TimeoutError(`a sign of life of MCP server '${this.name}'`, healthEveryMs);
      logger.warn({ server: this.name, error: describeError(error) }, 'MCP server does not answer and is ended');
      process.stop(0).catch(() => undefined);
    });
  }
}
