import {
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  Lifecycle,
  type Middleware,
  Telemetry,
  type TelemetryOptions,
} from '../../core/index.js';
import { checkOptions, is, lazy } from '../../core/internal.js';
import { MCPClient } from '../host/mcp-client.js';
import { type Connection, type HTTPHandler, loadServerSDK, loadStdioSDK } from '../sdk/server-sdk.js';
import type { Principal, Tool, ToolResult } from '../tools/tool.js';
import { createConnection, type HandlerSources } from './handlers.js';
import { refuseForeign } from './host-guard.js';
import { checkListenOptions, type Listening, type ListenOptions, openHTTPLane } from './http-lane.js';
import type { Prompt } from './prompt.js';
import { Registry } from './registry.js';
import type { Resource, ResourceDefinition } from './resource.js';
import { type Lane, openStdioLane } from './stdio-lane.js';
import { type ToolCall, ToolCalls } from './tool-calls.js';

/** What an {@link MCPServer} is made of. */
export interface MCPServerOptions {
  /** How the server calls itself to clients. */
  readonly name: string;
  readonly version: string;
  /** Tells models how to use the server as a whole. */
  readonly instructions?: string;
  /** Tools, and arrays of tools as `apiTools` and its like give them. */
  readonly tools?: readonly (Tool | readonly Tool[])[];
  readonly resources?: readonly Resource[];
  readonly prompts?: readonly Prompt[];
  /** Layers around tool calls, the first outermost. What a layer throws is told like a tool's own error. */
  readonly use?: readonly Middleware<ToolCall, ToolResult>[];
  /** Host names, beside the loopback ones, that HTTP requests may be addressed to. `*` for any. @default none */
  readonly allowedHosts?: readonly string[];
  /** Host names of web pages, beside the allowed hosts, that may call over HTTP. `*` for any. @default none */
  readonly allowedOrigins?: readonly string[];
  /** Largest HTTP request body; a larger one is answered 413. @default 4194304 */
  readonly maxRequestBytes?: number;
  /**
   * Largest answer of a tool, a resource or a prompt, in bytes of JSON as it is sent: a tool's value
   * counts twice, as text and as `structuredContent`. Clients read at most 10 MB per message.
   *
   * @default 8388608
   */
  readonly maxResultBytes?: number;
  readonly telemetry?: TelemetryOptions;
}

/** What a request brought in by `fetch` is known to be. */
export interface FetchOptions {
  /** Who calls, when you have verified it. Tools with `scopes` need it. */
  readonly principal?: Principal;
}

const fourMiB = 4 * 1024 * 1024;
/** The rest of the time to release is kept for disconnecting. */
const drainShare = 0.8;

/**
 * An MCP server: tools, resources and prompts from one definition, over stdio, Streamable HTTP, any
 * web framework and in memory, for clients of the 2026-07-28 protocol and of those before it.
 *
 * @throws ConfigurationError for wrong options, two tools of one name, or a schema that cannot be listed
 * @example
 * const server = new MCPServer({ name: 'demo', version: '1.0.0', tools: [add, ...apiTools(api)] });
 * await runStdio(server);
 */
export class MCPServer implements Closeable {
  readonly name: string;
  readonly #options: MCPServerOptions;
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle;
  readonly #calls: ToolCalls;
  readonly #connections: Set<Connection> = new Set();
  readonly #lanes: Set<Lane> = new Set();
  readonly #http: () => Promise<HTTPHandler>;
  #httpHandler: HTTPHandler | undefined;
  #registry: Registry;
  #stdio = false;
  #reportClosed: () => void = () => undefined;
  /** Resolves when the server has closed, by `close` or because the client at stdio went away. */
  readonly closed: Promise<void> = new Promise((resolve) => {
    this.#reportClosed = resolve;
  });

  constructor(options: MCPServerOptions) {
    checkOptions<MCPServerOptions>('MCPServer', options, {
      name: is.required(is.text),
      version: is.required(is.text),
      instructions: is.text,
      tools: is.list,
      resources: is.list,
      prompts: is.list,
      use: is.list,
      allowedHosts: is.list,
      allowedOrigins: is.list,
      maxRequestBytes: is.count,
      maxResultBytes: is.count,
      telemetry: is.object,
    });
    this.#options = Object.freeze({ ...options });
    this.name = options.name;
    this.#registry = Registry.empty
      .withTools((options.tools ?? []).flat())
      .withResources(options.resources ?? [])
      .withPrompts(options.prompts ?? []);
    this.#telemetry = new Telemetry('mcp', options.telemetry);
    this.#lifecycle = new Lifecycle(`MCP server '${options.name}'`);
    this.#calls = new ToolCalls({
      lifecycle: this.#lifecycle,
      telemetry: this.#telemetry,
      use: options.use ?? [],
      maxResultBytes: options.maxResultBytes ?? 2 * fourMiB,
    });
    this.#http = lazy(() => this.#openHTTP());
  }

  /** @throws ConfigurationError when the name is taken */
  addTool(tool: Tool): this {
    return this.#publish(this.#registry.withTools([tool]), 'tools');
  }

  /** Adds a resource, or replaces the one with this URI. */
  addResource(uri: string, definition: ResourceDefinition): this {
    return this.#publish(this.#registry.withoutResource(uri).withResources([{ ...definition, uri }]), 'resources');
  }

  /** Does nothing when there is no such resource. */
  removeResource(uri: string): this {
    return this.#publish(this.#registry.withoutResource(uri), 'resources');
  }

  /** @throws ConfigurationError when the name is taken */
  addPrompt(prompt: Prompt): this {
    return this.#publish(this.#registry.withPrompts([prompt]), 'prompts');
  }

  /**
   * Serves the client at stdin and stdout, and resolves once it does. Until the server closes, other
   * writes to `process.stdout` go to stderr. When the client closes its end, the server closes. An
   * executable wants {@link runStdio} instead, which also minds signals.
   *
   * @throws ConfigurationError when this or another server holds stdio
   */
  async start(): Promise<void> {
    this.#lifecycle.assertOpen();
    if (this.#stdio) throw new ConfigurationError(`MCP server '${this.name}' serves stdio already`);
    this.#stdio = true;
    const end = (): void => {
      this.close().catch(this.#onerror);
    };
    try {
      const sources = await this.#sources();
      await this.#keep(await openStdioLane(() => this.#connect(sources), this.#onerror, end));
    } catch (error) {
      this.#stdio = false;
      throw error;
    }
  }

  /**
   * Opens a Streamable HTTP endpoint. Requests addressed to, or sent by pages of, other hosts than
   * this machine and the allowed ones are answered 403.
   *
   * @throws ConfigurationError for a wrong option; ConnectionError when the port is taken
   */
  async listen(options: ListenOptions = {}): Promise<Listening> {
    checkListenOptions(options);
    this.#lifecycle.assertOpen();
    const { url, port } = await this.#keep(
      await openHTTPLane({
        ...options,
        fetch: (request) => this.fetch(request),
        maxRequestBytes: this.#options.maxRequestBytes ?? fourMiB,
        allowsForeignHosts: (this.#options.allowedHosts?.length ?? 0) > 0,
        onerror: this.#onerror,
      }),
    );
    return { url, port };
  }

  /**
   * Answers one HTTP request: mount it in any framework that speaks the web's `Request` and
   * `Response`. The same host and origin rules hold as for `listen`. Nothing is authenticated here:
   * verify the caller first and say who it is. A server that closes, or has closed, answers 503.
   *
   * @example app.all('/mcp', (c) => server.fetch(c.req.raw, { principal: { id: c.get('user') } }));
   */
  async fetch(request: Request, options: FetchOptions = {}): Promise<Response> {
    if (this.#lifecycle.closed) return unavailable(this.name);
    const sdk = await loadServerSDK();
    const { allowedHosts = [], allowedOrigins = [] } = this.#options;
    const refusal = refuseForeign(sdk, request, { hosts: allowedHosts, origins: allowedOrigins });
    if (refusal) return refusal;
    const { principal } = options;
    const handler = await this.#http();
    if (this.#lifecycle.closed) return unavailable(this.name);
    if (!principal) return handler.fetch(request);
    const { id: clientId, scopes = [] } = principal;
    return handler.fetch(request, { authInfo: { token: '', clientId, scopes: [...scopes], extra: { principal } } });
  }

  /** A client that is connected to this server without any wire, for tests and embedding. Close it after use. */
  async connectInMemory(): Promise<MCPClient> {
    this.#lifecycle.assertOpen();
    const sources = await this.#sources();
    const [serving, asking] = sources.sdk.InMemoryTransport.createLinkedPair();
    const { serveStdio } = await loadStdioSDK();
    const lane = serveStdio(() => this.#connect(sources), { transport: serving, onerror: this.#onerror });
    await this.#keep(lane);
    return MCPClient.connect({
      label: `MCP server '${this.name}'`,
      transport: asking,
      onClose: () => this.#lanes.delete(lane),
    });
  }

  /** Refuses new calls, lets running ones finish until the deadline, then disconnects every client. */
  async close(options: CloseOptions = {}): Promise<void> {
    try {
      await this.#lifecycle.close(options, async (remainingMs) => {
        await Promise.all(Array.from(this.#lanes, (lane) => lane.drain?.(remainingMs * drainShare)));
        await this.#httpHandler?.close();
        await Promise.all(Array.from(this.#lanes, (lane) => lane.close()));
        this.#lanes.clear();
      });
    } finally {
      this.#reportClosed();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A lane that opened while the server closed is closed with it. */
  async #keep<L extends Lane>(lane: L): Promise<L> {
    if (this.#lifecycle.closed) await lane.close();
    this.#lifecycle.assertOpen();
    this.#lanes.add(lane);
    return lane;
  }

  #publish(registry: Registry, changed: 'tools' | 'resources' | 'prompts'): this {
    if (registry === this.#registry) return this;
    this.#registry = registry;
    this.#httpHandler?.notify[`${changed}Changed`]();
    const send = {
      tools: 'sendToolListChanged',
      resources: 'sendResourceListChanged',
      prompts: 'sendPromptListChanged',
    } as const;
    for (const connection of this.#connections) connection[send[changed]]().catch(this.#onerror);
    return this;
  }

  async #sources(): Promise<HandlerSources> {
    const { name, version, instructions } = this.#options;
    return {
      sdk: await loadServerSDK(),
      identity: { name, version, instructions },
      registry: () => this.#registry,
      calls: this.#calls,
      onerror: this.#onerror,
    };
  }

  #connect(sources: HandlerSources): Connection {
    const connection = createConnection(sources);
    this.#connections.add(connection);
    connection.onclose = () => this.#connections.delete(connection);
    return connection;
  }

  async #openHTTP(): Promise<HTTPHandler> {
    const sources = await this.#sources();
    this.#httpHandler = sources.sdk.createMcpHandler(() => createConnection(sources), {
      onerror: this.#onerror,
      maxRequestBodySize: this.#options.maxRequestBytes ?? fourMiB,
    });
    return this.#httpHandler;
  }

  readonly #onerror = (error: Error): void => {
    this.#telemetry.logger.warn({ error }, 'MCP connection');
  };
}

function unavailable(name: string): Response {
  const error = { code: -32000, message: `MCP server '${name}' is closing` };
  const headers = { connection: 'close', 'retry-after': '1' };
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 503, headers });
}
