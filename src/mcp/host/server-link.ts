import { AccessDeniedError, type Awaitable, ConnectionError, type Health, type Logger } from '../../core/index.js';
import type { HTTPServerConfig, ServerConfig } from '../config/mcp-config.js';
import { loadClientSDK } from '../sdk/client-sdk.js';
import { MCPClient } from './mcp-client.js';
import { openStdio } from './open-stdio.js';
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

/** A host's link to one server, which is started on first use. One that died stays dead until `open`. */
export class ServerLink {
  readonly name: string;
  readonly config: ServerConfig;
  readonly #options: LinkOptions;
  #client: MCPClient | undefined;
  #opening: Promise<MCPClient> | undefined;
  #process: ServerProcess | undefined;
  #death: string | undefined;
  #closed = false;

  constructor(name: string, config: ServerConfig, options: LinkOptions) {
    this.name = name;
    this.config = config;
    this.#options = options;
  }

  /**
   * The client; starts the server when that was not tried yet.
   *
   * @throws ConnectionError when the server died
   */
  async client(): Promise<MCPClient> {
    if (this.#death !== undefined) throw new ConnectionError(this.#death);
    return this.open();
  }

  /** Starts the server unless it runs. */
  async open(): Promise<MCPClient> {
    if (this.#client) return this.#client;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /** The server's state; asks it for a sign of life when it runs. */
  async health(options: { readonly signal: AbortSignal }): Promise<Health> {
    if (this.#death !== undefined) return { status: 'fail', output: this.#death };
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
    await this.#askConsent();
    const { config } = this;
    const client = await (config.type === 'http' ? this.#openHTTP(config) : this.#openProcess(config));
    this.#client = client;
    return client;
  }

  async #askConsent(): Promise<void> {
    const { config, name: server } = this;
    const { consent } = this.#options;
    const request: ConsentRequest =
      config.type === 'http'
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
    const client = await openStdio({ name: this.name, config, startTimeoutMs, callTimeoutMs, logger, onProcess });
    const { ended, stderr } = this.#process as ServerProcess;
    ended.then((ending) => {
      this.#client = undefined;
      const words = stderr.text === '' ? '' : `; it printed last: ${stderr.text}`;
      this.#death = `MCP server '${this.name}' ${ending}${words}`;
      logger.warn({ server: this.name, ending }, 'MCP server ended');
    });
    return client;
  }

  async #openHTTP({ url, headers = {} }: HTTPServerConfig): Promise<MCPClient> {
    const { startTimeoutMs, callTimeoutMs } = this.#options;
    const { StreamableHTTPClientTransport } = await loadClientSDK();
    const target = new URL(url);
    const transport = new StreamableHTTPClientTransport(target, { requestInit: { headers: { ...headers } } });
    const label = `MCP server '${this.name}' (${target.origin})`;
    return MCPClient.connect({ label, transport, timeoutMs: startTimeoutMs, callTimeoutMs });
  }
}
