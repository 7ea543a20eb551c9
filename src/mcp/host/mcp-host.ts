import {
  type Awaitable,
  type CallOptions,
  type Closeable,
  type CloseOptions,
  ConnectionError,
  type Health,
  type HealthCheck,
  Lifecycle,
  NotFoundError,
  Telemetry,
  type TelemetryOptions,
} from '../../core/index.js';
import { checkOptions, hint, is } from '../../core/internal.js';
import type { MCPConfig } from '../config/mcp-config.js';
import type { PromptMessage } from '../server/prompt.js';
import type { ResourceContents } from '../tools/tool.js';
import { checkConfig } from './check-config.js';
import type { MCPClient } from './mcp-client.js';
import { type ConsentRequest, ServerLink } from './server-link.js';
import { ToolNames } from './tool-names.js';
import type { PromptInfo, ResourceInfo, ToolAnswer, ToolCallOptions, ToolInfo } from './types.js';

/** How an {@link MCPHost} treats its servers. */
export interface MCPHostOptions {
  /**
   * Asked before a server is started or connected to, each time, with exactly what will happen.
   * `false` refuses it.
   *
   * @default everything configured is agreed to
   */
  readonly consent?: (request: ConsentRequest) => Awaitable<boolean>;
  /** Longest time from starting a server to its first answer, in milliseconds. @default 30000 */
  readonly startTimeoutMs?: number;
  /** Longest time for one call, in milliseconds, unless the call says otherwise. @default 60000 */
  readonly callTimeoutMs?: number;
  readonly telemetry?: TelemetryOptions;
}

/** A thing of one of a host's servers. */
export type OfServer<T> = T & { readonly server: string };

/**
 * Runs and connects MCP servers and shows what they offer as one. Servers are started without a
 * shell, with a small allow-listed environment plus what is configured for them, and ended with
 * everything they started when the host closes. The protocol revision is negotiated per server.
 *
 * @example
 * await using host = new MCPHost(await loadMCPConfig('mcp.yaml'));
 * for (const tool of await host.listTools()) console.log(tool.name);
 * const { text, isError } = await host.callTool('files__read', { path: 'a.txt' });
 */
export class MCPHost implements Closeable, HealthCheck {
  readonly name = 'mcp';
  readonly #links: ReadonlyMap<string, ServerLink>;
  readonly #names: ToolNames;
  readonly #lifecycle: Lifecycle = new Lifecycle('MCPHost');

  /** @throws ConfigurationError for a wrong config or option */
  constructor(config: MCPConfig, options: MCPHostOptions = {}) {
    checkConfig(config);
    checkOptions<MCPHostOptions>('MCPHost', options, {
      consent: is.function,
      startTimeoutMs: is.milliseconds,
      callTimeoutMs: is.milliseconds,
      telemetry: is.object,
    });
    const { startTimeoutMs = 30_000, callTimeoutMs = 60_000, consent } = options;
    const { logger } = new Telemetry('mcp', options.telemetry);
    const servers = Object.entries(config.servers).filter(([, server]) => !server.disabled);
    const linkOptions = { startTimeoutMs, callTimeoutMs, consent, logger };
    this.#links = new Map(servers.map(([name, server]) => [name, new ServerLink(name, server, linkOptions)]));
    this.#names = new ToolNames([...this.#links.keys()]);
  }

  /** The names of the servers, in the config's order. */
  get servers(): readonly string[] {
    return [...this.#links.keys()];
  }

  /**
   * Starts all servers at once, also those that died. Other calls start the servers they need, so
   * this is for finding out early. Servers that did start stay usable when another one fails.
   *
   * @throws the error of the one that failed; ConnectionError with an AggregateError as `cause` for several
   */
  async connect(options: CallOptions = {}): Promise<void> {
    await this.#lifecycle.call('the start of the MCP servers', options, async () => {
      const outcomes = await Promise.allSettled(Array.from(this.#links.values(), (link) => link.open()));
      const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
      if (errors.length <= 1) return rethrow(errors[0]);
      const cause = new AggregateError(errors);
      throw new ConnectionError(errors.map(({ message }) => message).join('\n'), { cause });
    });
  }

  /** The same as {@link connect}. */
  start(options: CallOptions = {}): Promise<void> {
    return this.connect(options);
  }

  /** The tools of all servers. With more than one server, names are `server__tool`. */
  async listTools(options: CallOptions = {}): Promise<readonly OfServer<ToolInfo>[]> {
    return this.#gather('tools/list', options, async (client, link, limits) => {
      const tools = await client.listTools(limits);
      const offered = tools.filter(({ name }) => isOffered(link, name));
      return offered.map((tool) => ({ ...tool, name: this.#names.listed(link.name, tool.name) }));
    });
  }

  /**
   * Calls a tool by the name it is listed by. A failing tool resolves with `isError`; a call that
   * could not be made rejects. Aborting reaches the server.
   *
   * @throws NotFoundError, TimeoutError, ConnectionError (a server that died), ProtocolError
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: ToolCallOptions = {},
  ): Promise<ToolAnswer> {
    const { server, tool } = this.#names.find(name);
    const link = this.#link(server);
    if (!isOffered(link, tool)) throw new NotFoundError(`MCP server '${server}' is not configured to offer '${tool}'`);
    const { onProgress, ...limits } = options;
    return this.#lifecycle.call(`tools/call '${name}'`, limits, async (scope) => {
      const client = await link.client();
      const timeoutMs = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
      return client.callTool(tool, args, { ...timeoutMs, signal: scope.signal, ...(onProgress ? { onProgress } : {}) });
    });
  }

  /** The resources of all servers. */
  async listResources(options: CallOptions = {}): Promise<readonly OfServer<ResourceInfo>[]> {
    return this.#gather('resources/list', options, (client, _link, limits) => client.listResources(limits));
  }

  /**
   * Reads a resource of one server.
   *
   * @throws NotFoundError for an unknown server; ProtocolError for an unknown resource
   */
  async readResource(server: string, uri: string, options: CallOptions = {}): Promise<readonly ResourceContents[]> {
    return this.#ask(server, `resources/read '${uri}'`, options, (client, limits) => client.readResource(uri, limits));
  }

  /** The prompts of all servers. */
  async listPrompts(options: CallOptions = {}): Promise<readonly OfServer<PromptInfo>[]> {
    return this.#gather('prompts/list', options, (client, _link, limits) => client.listPrompts(limits));
  }

  /** @throws NotFoundError for an unknown server; ProtocolError for an unknown prompt */
  async getPrompt(
    server: string,
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<readonly PromptMessage[]> {
    return this.#ask(server, `prompts/get '${name}'`, options, (client, limits) =>
      client.getPrompt(name, args, limits),
    );
  }

  /** The worst state of all servers; each one's own is in `details`, by name. A server not started yet is a `warn`. */
  async health(options: CallOptions = {}): Promise<Health> {
    const asked = { timeoutMs: 5_000, ...options };
    try {
      return await this.#lifecycle.call('the health of the MCP servers', asked, async ({ signal }) => {
        const states = await Promise.all(
          Array.from(this.#links.values(), async (link) => [link.name, await link.health({ signal })] as const),
        );
        const failing =
          states.find(([, { status }]) => status === 'fail') ?? states.find(([, s]) => s.status === 'warn');
        const { status, output } = failing?.[1] ?? { status: 'pass' as const, output: undefined };
        return { status, ...(output === undefined ? {} : { output }), details: Object.fromEntries(states) };
      });
    } catch (error) {
      return { status: 'fail', output: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Refuses new calls, lets running ones finish until the deadline, then ends every server and what it started. */
  async close(options: CloseOptions = {}): Promise<void> {
    await this.#lifecycle.close(options, async (remainingMs) => {
      await Promise.all(Array.from(this.#links.values(), (link) => link.close(remainingMs)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #link(server: string): ServerLink {
    const link = this.#links.get(server);
    if (!link) throw new NotFoundError(`This host has no MCP server '${server}'${hint(server, this.servers)}`);
    return link;
  }

  async #ask<T>(
    server: string,
    what: string,
    options: CallOptions,
    ask: (client: MCPClient, limits: CallOptions) => Promise<T>,
  ): Promise<T> {
    const link = this.#link(server);
    return this.#lifecycle.call(what, options, async ({ signal }) => ask(await link.client(), { signal }));
  }

  async #gather<T extends object>(
    what: string,
    options: CallOptions,
    ask: (client: MCPClient, link: ServerLink, limits: CallOptions) => Promise<readonly T[]>,
  ): Promise<OfServer<T>[]> {
    return this.#lifecycle.call(what, options, async ({ signal }) => {
      const lists = await Promise.all(
        Array.from(this.#links.values(), async (link) => {
          const items = await ask(await link.client(), link, { signal });
          return items.map((item) => ({ ...item, server: link.name }));
        }),
      );
      return lists.flat();
    });
  }
}

function isOffered({ config }: ServerLink, tool: string): boolean {
  return !config.tools || config.tools.includes('*') || config.tools.includes(tool);
}

function rethrow(error: Error | undefined): void {
  if (error) throw error;
}
