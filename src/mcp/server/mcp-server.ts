import {
  type CallOptions,
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  type HealthReport,
  healthReport,
  Lifecycle,
  Telemetry,
} from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import { answersCheck } from '../host/mcp-answers.js';
import { MCPClient } from '../host/mcp-client.js';
import { type Connection, type Era, loadServerSDK, loadStdioSDK } from '../sdk/server-sdk.js';
import type { Principal, Tool } from '../tools/tool.js';
import { authorize } from './authorize.js';
import { CallObserver, type ToolStats } from './call-observer.js';
import { CallState } from './call-state.js';
import { CallerBuckets, type CallerLimiter, refuseExcess } from './caller-limits.js';
import { createConnection } from './handlers.js';
import { refuseForeign } from './host-guard.js';
import { checkListenOptions, type Listening, type ListenOptions, openHTTPLane } from './http-lane.js';
import {
  checkServerOptions,
  type FetchOptions,
  type InMemoryOptions,
  type MCPServerOptions,
  serverDefaults,
} from './mcp-server-options.js';
import { assertPrompt, assertResource, assertTemplate, assertTool } from './offered.js';
import { paramHeaders } from './param-headers.js';
import type { Prompt } from './prompt.js';
import { type Kind, Registry } from './registry.js';
import type { ResourceDefinition } from './resource.js';
import type { ResourceTemplate } from './resource-template.js';
import { rpcFailure } from './rpc-failure.js';
import type { ConnectionSettings, HandlerSources, Served } from './served.js';
import { type Lane, openStdioLane } from './stdio-lane.js';
import { TaskWire } from './task-listen.js';
import { TaskNews } from './task-news.js';
import { ToolCalls } from './tool-calls.js';
import { ToolTasks } from './tool-tasks.js';
import { WebLane } from './web-lane.js';

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
  readonly #observer: CallObserver;
  readonly #limiter: CallerLimiter | undefined;
  readonly #tasks: ToolTasks;
  readonly #news: TaskNews;
  readonly #served: Set<Served> = new Set();
  readonly #lanes: Set<Lane> = new Set();
  readonly #sources: () => Promise<HandlerSources>;
  readonly #web: () => Promise<WebLane>;
  #openWeb: WebLane | undefined;
  #registry: Registry;
  #stdio = false;
  #reportClosed: () => void = () => undefined;
  /** Resolves when the server has closed, by `close` or because the client at stdio went away. */
  readonly closed: Promise<void> = new Promise((resolve) => {
    this.#reportClosed = resolve;
  });

  constructor(options: MCPServerOptions) {
    checkServerOptions(options);
    this.#options = Object.freeze({ ...options });
    this.name = options.name;
    this.#registry = Registry.empty
      .withTools((options.tools ?? []).flat())
      .withResources(options.resources ?? [])
      .withTemplates(options.resourceTemplates ?? [])
      .withPrompts(options.prompts ?? []);
    this.#telemetry = new Telemetry('mcp', options.telemetry);
    this.#lifecycle = new Lifecycle(`MCP server '${options.name}'`);
    this.#observer = new CallObserver(this.#telemetry, options.audit);
    const { limiter = serverDefaults.limiter } = options;
    this.#limiter = limiter === false || 'consume' in limiter ? limiter || undefined : new CallerBuckets(limiter);
    this.#tasks = new ToolTasks(options.tasks ?? {}, this.#onerror, (run) => this.#news.changed(run));
    this.#news = new TaskNews(this.#tasks, (uri) => this.resourceUpdated(uri));
    this.#sources = lazy(() => this.#makeSources());
    this.#web = lazy(() => this.#makeWeb());
  }

  /** @throws ConfigurationError when the name is taken */
  addTool(tool: Tool): this {
    assertTool(tool, 'addTool: tool');
    return this.#publish(this.#registry.withTools([tool]), 'tools');
  }

  /** Does nothing when there is no such tool. Calls of it that run go on. */
  removeTool(name: string): this {
    return this.#publish(this.#registry.without('tools', name), 'tools');
  }

  /** Adds a resource, or replaces the one with this URI: who subscribed to it is told that it changed. */
  addResource(uri: string, definition: ResourceDefinition): this {
    const replaces = this.#registry.resources.has(uri);
    const resource = { ...definition, uri };
    assertResource(resource, 'addResource: resource');
    const registry = this.#registry.without('resources', uri).withResources([resource]);
    this.#publish(registry, 'resources');
    return replaces ? this.resourceUpdated(uri) : this;
  }

  /** Does nothing when there is no such resource. */
  removeResource(uri: string): this {
    return this.#publish(this.#registry.without('resources', uri), 'resources');
  }

  /** @throws ConfigurationError when the template is taken */
  addResourceTemplate(template: ResourceTemplate): this {
    assertTemplate(template, 'addResourceTemplate: template');
    return this.#publish(this.#registry.withTemplates([template]), 'templates');
  }

  /** Does nothing when there is no such template. */
  removeResourceTemplate(uriTemplate: string): this {
    return this.#publish(this.#registry.without('templates', uriTemplate), 'templates');
  }

  /** @throws ConfigurationError when the name is taken */
  addPrompt(prompt: Prompt): this {
    assertPrompt(prompt, 'addPrompt: prompt');
    return this.#publish(this.#registry.withPrompts([prompt]), 'prompts');
  }

  /** Does nothing when there is no such prompt. */
  removePrompt(name: string): this {
    return this.#publish(this.#registry.without('prompts', name), 'prompts');
  }

  /** Tells the clients that subscribed to this URI that reading it would give something else now. */
  resourceUpdated(uri: string): this {
    this.#openWeb?.notify.resourceUpdated(uri);
    for (const { connection, era, settings } of this.#served) {
      // The SDK knows what clients of 2026-07-28 listen to.
      if (era === 'modern' || settings.subscriptions?.has(uri))
        connection.sendResourceUpdated({ uri }).catch(this.#onerror);
    }
    return this;
  }

  /** What the tools did so far, by name. */
  stats(): Readonly<Record<string, ToolStats>> {
    return this.#observer.stats;
  }

  /** Whether what the server stands on works: the `health` checks of its options. Never rejects. */
  async health(options: CallOptions = {}): Promise<HealthReport> {
    const report = await healthReport(this.#options.health ?? [], options);
    return this.#lifecycle.closed ? { ...report, status: 'fail' } : report;
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
      await this.#keep(
        await openStdioLane(
          ({ era }) => this.#connect(sources, era),
          (wire) => new TaskWire(sources.sdk, this.#news, wire),
          this.#onerror,
          end,
        ),
      );
    } catch (error) {
      this.#stdio = false;
      throw error;
    }
  }

  /**
   * Opens a Streamable HTTP endpoint, and `/health` beside it. Requests addressed to, or sent by pages
   * of, other hosts than this machine and the allowed ones are answered 403.
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
        health: () => this.health(),
        maxRequestBytes: this.#options.maxRequestBytes ?? serverDefaults.maxRequestBytes,
        allowsForeignHosts: (this.#options.allowedHosts?.length ?? 0) > 0,
        onerror: this.#onerror,
      }),
    );
    return { url, port };
  }

  /**
   * Answers one HTTP request: mount it in any framework that speaks the web's `Request` and
   * `Response`. The same rules hold as for `listen`: hosts and origins, `authorize`, `limiter`. Where
   * the framework has verified the caller, say who it is. A server that closes, or has closed, answers 503.
   *
   * @example app.all('/mcp', (c) => server.fetch(c.req.raw, { principal: { id: c.get('user') } }));
   */
  async fetch(request: Request, options: FetchOptions = {}): Promise<Response> {
    if (this.#lifecycle.closed) return unavailable(this.name);
    const { allowedHosts = [], allowedOrigins = [] } = this.#options;
    const sdk = await loadServerSDK();
    const refusal = refuseForeign(sdk, request, { hosts: allowedHosts, origins: allowedOrigins });
    if (refusal) return refusal;
    const principal = options.principal ?? (await this.#authorize(request));
    if (principal instanceof Response) return principal;
    const excess = this.#limiter && (await refuseExcess(this.#limiter, principal?.id ?? '', this.#warn));
    if (excess) return excess;
    const web = await this.#web();
    return this.#lifecycle.closed ? unavailable(this.name) : web.fetch(request, principal);
  }

  /**
   * A client that is connected to this server without any wire, for tests and embedding. Close it after
   * use. What tools ask, its `answers` say.
   */
  async connectInMemory({ answers }: InMemoryOptions = {}): Promise<MCPClient> {
    if (answers) answersCheck(answers, 'connectInMemory.answers');
    this.#lifecycle.assertOpen();
    const sources = await this.#sources();
    const [serving, asking] = sources.sdk.InMemoryTransport.createLinkedPair();
    const { serveStdio } = await loadStdioSDK();
    const connect = ({ era }: { era: Era }): Connection => this.#connect(sources, era);
    const transport = new TaskWire(sources.sdk, this.#news, serving);
    const lane = serveStdio(connect, { transport, onerror: this.#onerror });
    await this.#keep(lane);
    return MCPClient.connect({
      label: `MCP server '${this.name}'`,
      transport: asking,
      ...(answers ? { answers } : {}),
      onClose: () => this.#lanes.delete(lane),
    });
  }

  /**
   * Refuses new calls, lets running ones finish until the deadline, then disconnects every client. Tasks
   * that wait for an answer of somebody are cancelled at once: no deadline is long enough for people.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    try {
      const closing = this.#lifecycle.close(options, async (remainingMs) => {
        this.#tasks.close();
        this.#news.close();
        await Promise.all(Array.from(this.#lanes, (lane) => lane.drain?.(remainingMs * drainShare)));
        await this.#openWeb?.close();
        await Promise.all(Array.from(this.#lanes, (lane) => lane.close()));
        this.#lanes.clear();
      });
      if (this.#lifecycle.closed) this.#tasks.askNoMore();
      await closing;
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

  async #authorize(request: Request): Promise<Principal | Response | undefined> {
    const { authorize: by, resourceMetadataURL } = this.#options;
    return by && authorize(by, request, resourceMetadataURL, this.#warn);
  }

  #publish(registry: Registry, kind: Kind): this {
    if (registry === this.#registry) return this;
    this.#registry = registry;
    const { changed, send } = news[kind];
    this.#openWeb?.notify[changed]();
    for (const { connection } of this.#served) connection[send]().catch(this.#onerror);
    return this;
  }

  async #makeSources(): Promise<HandlerSources> {
    const sdk = await loadServerSDK();
    const { name, version, instructions, use = [], stateKey, cacheHint } = this.#options;
    const calls = new ToolCalls({
      sdk,
      state: new CallState(sdk, stateKey),
      lifecycle: this.#lifecycle,
      telemetry: this.#telemetry,
      observer: this.#observer,
      use,
      maxResultBytes: this.#options.maxResultBytes ?? serverDefaults.maxResultBytes,
      callTimeoutMs: this.#options.callTimeoutMs ?? serverDefaults.callTimeoutMs,
    });
    const identity = { name, version, instructions };
    const registry = (): Registry => this.#registry;
    const { pageSize = Number.POSITIVE_INFINITY } = this.#options;
    return { sdk, identity, cacheHint, pageSize, registry, calls, tasks: this.#tasks, onerror: this.#onerror };
  }

  async #makeWeb(): Promise<WebLane> {
    const sources = await this.#sources();
    this.#openWeb = new WebLane({
      sdk: sources.sdk,
      maxRequestBytes: this.#options.maxRequestBytes ?? serverDefaults.maxRequestBytes,
      news: this.#news,
      sessions: this.#options.sessions ?? {},
      session: (settings) => this.#serve(sources, 'legacy', settings),
      exchange: (era) => createConnection(sources, era).connection,
      paramHeaders: (tool) => paramHeaders(this.#registry.tools.get(tool)?.description.inputSchema ?? {}),
      onerror: this.#onerror,
    });
    return this.#openWeb;
  }

  #connect(sources: HandlerSources, era: Era): Connection {
    return this.#serve(sources, era).connection;
  }

  /** A connection that lasts, and hears of changes. */
  #serve(sources: HandlerSources, era: Era, settings?: ConnectionSettings): Served {
    const served = createConnection(sources, era, settings);
    this.#served.add(served);
    served.connection.onclose = () => this.#served.delete(served);
    return served;
  }

  readonly #onerror = (error: Error): void => {
    this.#telemetry.logger.warn({ error }, 'MCP connection');
  };

  readonly #warn = (error: unknown): void => {
    this.#telemetry.logger.warn({ error }, 'MCP request');
  };
}

/** How clients of both eras are told of a change. */
const news = {
  tools: { changed: 'toolsChanged', send: 'sendToolListChanged' },
  resources: { changed: 'resourcesChanged', send: 'sendResourceListChanged' },
  templates: { changed: 'resourcesChanged', send: 'sendResourceListChanged' },
  prompts: { changed: 'promptsChanged', send: 'sendPromptListChanged' },
} as const;

function unavailable(name: string): Response {
  return rpcFailure(503, `MCP server '${name}' is closing`, { connection: 'close', 'retry-after': '1' });
}
