import {
  AccessDeniedError,
  type Awaitable,
  ConnectionError,
  detach,
  type Health,
  type Logger,
} from '../../core/index.js';
import { type HTTPServerConfig, isHTTP, type ServerConfig } from '../config/mcp-config.js';
import { loadClientSDK } from '../sdk/client-sdk.js';
import { MCPClient } from './mcp-client.js';
import { openStdio } from './open-stdio.js';
import { SecretMask } from './secret-mask.js';
import type { ServerProcess } from './server-process.js';

/** What a host is about to run or to connect to, for a person to agree to. */
export interface ConsentRequest {
  readonly server: string;
  /** The exact program and arguments; absent for a server that is reached over HTTP. */
  readonly command?: readonly string[];
  /** Where the program will run, when that is configured. */
  readonly cwd?: string;
  /** The names of the configured environment variables. */
  readonly env?: readonly string[];
  readonly url?: string;
}

/** How a link treats its server. Times are in milliseconds. */
export interface LinkOptions {
  readonly startTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly consent: ((request: ConsentRequest) => Awaitable<boolean>) | undefined;
  readonly logger: Logger;
}

/**
 * A host's link to one server, which is started on first use. A process that died, or did not start,
 * stays dead until `open`.
 */
export class ServerLink {
  readonly name: string;
  readonly config: ServerConfig;
  readonly #options: LinkOptions;
  #client: MCPClient | undefined;
  #opening: Promise<MCPClient> | undefined;
  #process: ServerProcess | undefined;
  #death: Error | undefined;
  #closed = false;

  constructor(name: string, config: ServerConfig, options: LinkOptions) {
    this.name = name;
    this.config = config;
    this.#options = options;
  }

  /**
   * The client; starts the server when that was not tried yet.
   *
   * @throws ConnectionError when the server died; what its last start threw when that failed
   */
  async client(): Promise<MCPClient> {
    if (this.#death) throw this.#death;
    return this.open();
  }

  /** Starts the server unless it runs. The start belongs to all who wait for it: no one's end cancels it. */
  async open(): Promise<MCPClient> {
    if (this.#client) return this.#client;
    this.#opening ??= detach(() => this.#open()).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** The server's state; asks it for a sign of life when it runs. */
  async health(options: { readonly signal: AbortSignal }): Promise<Health> {
    if (this.#death) return { status: 'fail', output: this.#death.message };
    if (!this.#client) return { status: 'warn', output: `MCP server '${this.name}' is not started` };
    const health = await this.#client.health(options);
    const pid = this.#process?.pid;
    return { ...health, details: { ...health.details, ...(pid === undefined ? {} : { pid }) } };
  }

  /** Ends the server within the time, also one that is just starting. */
  async close(withinMs: number): Promise<void> {
    this.#closed = true;
    await this.#process?.stop(withinMs);
    await this.#client?.close({ timeoutMs: Math.max(1, withinMs) });
    this.#client = undefined;
  }

  async #open(): Promise<MCPClient> {
    this.#death = undefined;
    const { config } = this;
    return isHTTP(config) ? this.#openHTTP(config) : this.#openProcess(config);
  }

  async #askConsent(): Promise<void> {
    const { config, name: server } = this;
    const { consent } = this.#options;
    const request: ConsentRequest = isHTTP(config)
      ? { server, url: config.url }
      : {
          server,
          command: [config.command, ...(config.args ?? [])],
          env: Object.keys(config.env ?? {}),
          ...(config.cwd === undefined ? {} : { cwd: config.cwd }),
        };
    if (consent && !(await consent(request))) throw new AccessDeniedError(`MCP server '${server}' was not agreed to`);
  }

  async #openProcess(config: Exclude<ServerConfig, HTTPServerConfig>): Promise<MCPClient> {
    const { startTimeoutMs, callTimeoutMs, logger } = this.#options;
    const onProcess = (process: ServerProcess): void => {
      this.#process = process;
      if (this.#closed) process.stop(1).catch(() => undefined);
    };
    const askConsent = (): Promise<void> => this.#askConsent();
    const limits = { startTimeoutMs, callTimeoutMs };
    try {
      const client = await openStdio({ name: this.name, config, ...limits, logger, askConsent, onProcess });
      await this.#watch(client, this.#process as ServerProcess);
      return client;
    } catch (error) {
      // Each call would start it in vain, and ask for consent again; a refusal may be reconsidered.
      if (!(error instanceof AccessDeniedError)) this.#death = error as Error;
      throw error;
    }
  }

  /** @throws ConnectionError when the process has ended already */
  async #watch(client: MCPClient, process: ServerProcess): Promise<void> {
    this.#client = client;
    const over = process.ended.then((ending) => {
      this.#options.logger.warn({ server: this.name, ending }, 'MCP server ended');
      const death = new ConnectionError(`MCP server '${this.name}' (${process.shown}) ${process.epitaph}`);
      if (this.#client !== client) return death;
      this.#client = undefined;
      this.#death = death;
      return death;
    });
    if (process.ending !== undefined) throw await over;
  }

  async #openHTTP({ url, headers = {} }: HTTPServerConfig): Promise<MCPClient> {
    await this.#askConsent();
    const { startTimeoutMs, callTimeoutMs } = this.#options;
    const { StreamableHTTPClientTransport } = await loadClientSDK();
    const target = new URL(url);
    const transport = new StreamableHTTPClientTransport(target, { requestInit: { headers: { ...headers } } });
    const mask = new SecretMask(this.config).of;
    const label = `MCP server '${this.name}' (${mask(target.origin)})`;
    const client = await MCPClient.connect({
      label,
      transport,
      timeoutMs: startTimeoutMs,
      callTimeoutMs,
      mask,
      // A server that forgot the session says so by 404; a new one is asked for by initializing again.
      onHTTPStatus: (status) => {
        if (status === 404 && transport.sessionId !== undefined) this.#drop(client);
      },
    });
    this.#client = client;
    return client;
  }

  /** Calls that still run on the client finish; the next one opens a new one. */
  #drop(client: MCPClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.close().catch(() => undefined);
  }
}
