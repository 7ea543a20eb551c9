import { type CallOptions, ConnectionError, detach, type Health } from '../../core/index.js';
import type { HTTPServerConfig } from '../config/mcp-config.js';
import { type ClientSDK, loadClientSDK } from '../sdk/client-sdk.js';
import { statusOf } from './client-errors.js';
import { Consent, type Link, type LinkOptions } from './link.js';
import { MCPClient } from './mcp-client.js';
import { SecretMask } from './secret-mask.js';

/**
 * The link to a server that is reached over HTTP. Each call that finds no connection makes one; one
 * that was lost is made anew, so a server may go away, come back, and come back as another version.
 */
export class HTTPLink implements Link {
  readonly name: string;
  readonly config: HTTPServerConfig;
  readonly #options: LinkOptions;
  readonly #consent: Consent;
  #client: MCPClient | undefined;
  #opening: Promise<MCPClient> | undefined;
  /** Those whose session the server forgot: it has not looked at their last call. */
  readonly #forgotten: WeakSet<MCPClient> = new WeakSet();
  #connects = 0;
  #closed = false;

  constructor(name: string, config: HTTPServerConfig, options: LinkOptions) {
    this.name = name;
    this.config = config;
    this.#options = options;
    this.#consent = new Consent(name, config, options.consent);
  }

  async use<T>(ask: (client: MCPClient) => Promise<T>): Promise<T> {
    const client = await this.open();
    try {
      return await ask(client);
    } catch (error) {
      if (isUnreachable(error)) this.#drop(client);
      if (!this.#forgotten.has(client) || this.#closed) throw error;
      return ask(await this.open());
    }
  }

  /** The start belongs to all who wait for it: no one's end cancels it. */
  async open(): Promise<MCPClient> {
    if (this.#client) return this.#client;
    this.#opening ??= detach(() => this.#open()).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async health(options: CallOptions): Promise<Health> {
    const state = this.#client ? 'ready' : this.#opening ? 'starting' : 'idle';
    const details = { restarts: Math.max(0, this.#connects - 1), state };
    if (!this.#client)
      return {
        status: 'warn',
        output: `MCP server '${this.name}' is not ${this.#connects > 0 ? 'connected' : 'started'}`,
        details,
      };
    const health = await this.#client.health(options);
    return { ...health, details: { ...details, ...health.details } };
  }

  async close(withinMs: number): Promise<void> {
    this.#closed = true;
    await this.#client?.close({ timeoutMs: Math.max(1, withinMs) });
    this.#client = undefined;
  }

  async #open(): Promise<MCPClient> {
    await this.#consent.ask();
    const { startTimeoutMs, callTimeoutMs, isHeard, tell, answers, logger } = this.#options;
    const { url, headers = {}, timeout } = this.config;
    const isOld = this.config.type === 'sse';
    const Transport = transportOf(await loadClientSDK(), isOld);
    const target = new URL(url);
    const transport = new Transport(target, { requestInit: { headers: { ...headers } } });
    const mask = new SecretMask(this.config).of;
    const client = await MCPClient.connect({
      label: `MCP server '${this.name}' (${mask(target.origin)})`,
      server: this.name,
      answers,
      onListenerError: (error) => logger.error({ server: this.name, error }, 'progress listener failed'),
      transport,
      legacy: isOld,
      timeoutMs: startTimeoutMs,
      callTimeoutMs: timeout ?? callTimeoutMs,
      mask,
      onStreamLost: () => this.#drop(client),
      // A server that forgot the session says so by 404; a new one is asked for by initializing again.
      onHTTPStatus: (status) => {
        if (status !== 404 || transport.sessionId === undefined) return;
        this.#forgotten.add(client);
        this.#drop(client);
      },
      // It takes a request of its own that never ends.
      ...(isHeard('toolsChanged') ? { onToolsChanged: () => tell('toolsChanged', { server: this.name }) } : {}),
    });
    this.#client = client;
    this.#connects += 1;
    if (this.#closed) await this.close(1);
    tell('ready', { server: this.name, restarts: this.#connects - 1 });
    return client;
  }

  /** Calls that still run on the client finish; the next one opens a new one. */
  #drop(client: MCPClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    // Who watches goes on with the next one.
    client.calls.feed.end();
    client.close({ timeoutMs: 2 * this.#options.callTimeoutMs }).catch(() => undefined);
  }
}

/** An answer with a bad status says nothing about the connection. */
function isUnreachable(error: unknown): boolean {
  return error instanceof ConnectionError && statusOf(error.cause) === undefined;
}

type HTTPTransport = ClientSDK['StreamableHTTPClientTransport'];

/** The SDK keeps the transport of the protocol of 2024-11-05 beside that of today, in the same form. */
function transportOf(sdk: ClientSDK, isOld: boolean): HTTPTransport {
  const { StreamableHTTPClientTransport, SSEClientTransport } = sdk as ClientSDK & {
    SSEClientTransport: HTTPTransport;
  };
  return isOld ? SSEClientTransport : StreamableHTTPClientTransport;
}
