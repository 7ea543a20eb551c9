import {
  type Awaitable,
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  ConnectionError,
  type Health,
  type HealthCheck,
  Lifecycle,
  type Logger,
  NotFoundError,
  Telemetry,
  type TelemetryOptions,
  TypedEmitter,
} from '../../core/index.js';
import { checkOptions, describeError, hint, is } from '../../core/internal.js';
import { isHTTP, type MCPConfig } from '../config/mcp-config.js';
import type { PromptMessage } from '../server/prompt.js';
import type { ResourceContents } from '../tools/tool.js';
import type { MCPChange, MCPWatchFilter } from './change-feed.js';
import { checkConfig } from './check-config.js';
import type { MCPHostEvents } from './host-events.js';
import { HTTPLink } from './http-link.js';
import type { ConsentRequest, Link, LinkOptions } from './link.js';
import { answersCheck, type MCPAnswers } from './mcp-answers.js';
import { MCPTask, type TaskSource } from './mcp-task.js';
import { MCPWatch, type MCPWatchOptions } from './mcp-watch.js';
import { ProcessLink } from './process-link.js';
import { type RestartOptions, restartChecks } from './restart-plan.js';
import type { ServerCalls } from './server-calls.js';
import { ToolNames } from './tool-names.js';
import type {
  Completion,
  CompletionRequest,
  PromptInfo,
  ResourceInfo,
  ResourceTemplateInfo,
  ToolAnswer,
  ToolCallOptions,
  ToolInfo,
} from './types.js';

/** How an {@link MCPHost} treats its servers. */
export interface MCPHostOptions {
  /**
   * Asked before a server is first started or connected to, with exactly what will happen. `false`
   * refuses it. Starting the same again needs no second consent.
   *
   * @default everything configured is agreed to
   */
  readonly consent?: (request: ConsentRequest) => Awaitable<boolean>;
  /** Longest time from starting a server to its first answer, in milliseconds. @default 30000 */
  readonly startTimeoutMs?: number;
  /** Longest time for one call, in milliseconds, with the start of a server that it needs, unless the call says otherwise. @default 60000 */
  readonly callTimeoutMs?: number;
  /** How a process that ended by itself is started again; false leaves it down until `connect`. */
  readonly restart?: RestartOptions | false;
  /**
   * Asks each process for a sign of life this often, in milliseconds; one that misses three in a row is
   * ended, and started again. @default never
   */
  readonly healthEveryMs?: number;
  /** Answers to what servers ask while they work on a call. @default they can ask nothing */
  readonly answers?: MCPAnswers;
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
export class MCPHost extends TypedEmitter<MCPHostEvents> implements Closeable, HealthCheck {
  readonly name = 'mcp';
  readonly #links: ReadonlyMap<string, Link>;
  readonly #names: ToolNames;
  readonly #lifecycle: Lifecycle = new Lifecycle('MCPHost');
  readonly #logger: Logger;
  readonly #callTimeoutMs: number;

  /** @throws ConfigurationError for a wrong config or option */
  constructor(config: MCPConfig, options: MCPHostOptions = {}) {
    super();
    checkConfig(config);
    checkOptions<MCPHostOptions>('MCPHost', options, {
      consent: is.function,
      startTimeoutMs: is.milliseconds,
      callTimeoutMs: is.milliseconds,
      restart: is.either('false or options', is.oneOf(false), is.options(restartChecks)),
      healthEveryMs: is.milliseconds,
      answers: answersCheck,
      telemetry: is.object,
    });
    const {
      startTimeoutMs = 30_000,
      callTimeoutMs = 60_000,
      restart = {},
      consent,
      healthEveryMs,
      answers = {},
    } = options;
    const { logger } = new Telemetry('mcp', options.telemetry);
    this.#logger = logger;
    this.#callTimeoutMs = callTimeoutMs;
    const servers = Object.entries(config.servers).filter(([, server]) => !server.disabled);
    const tell: LinkOptions['tell'] = (event, ...args) => void this.emit(event, ...args);
    const isHeard: LinkOptions['isHeard'] = (event) => this.listenerCount(event) > 0;
    const times = { startTimeoutMs, callTimeoutMs, healthEveryMs };
    const linkOptions = { ...times, isHeard, restart, consent, answers, logger, tell };
    this.#links = new Map(
      servers.map(([name, server]) => [
        name,
        isHTTP(server) ? new HTTPLink(name, server, linkOptions) : new ProcessLink(name, server, linkOptions),
      ]),
    );
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
      rethrow(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : [])));
    });
  }

  /** The same as {@link connect}. */
  start(options: CallOptions = {}): Promise<void> {
    return this.connect(options);
  }

  /**
   * The tools of all servers. With more than one server, names are `server__tool`. A server that
   * cannot tell its tools is left out and logged; its own error is in `health`.
   *
   * @throws when no server can tell: as {@link connect}
   */
  async listTools(options: CallOptions = {}): Promise<readonly OfServer<ToolInfo>[]> {
    return this.#gather('tools/list', options, async (calls, scope, link) => {
      const tools = await calls.listTools(scope);
      const offered = tools.filter(({ name }) => isOffered(link, name));
      return offered.map((tool) => ({ ...tool, name: this.#names.listed(link.name, tool.name) }));
    });
  }

  /**
   * Calls a tool by the name it is listed by. A failing tool resolves with `isError`; a call that
   * could not be made rejects. Aborting reaches the server. The answer of a call that the server makes a
   * task of is waited for like any other, see `MCPClient.callTool`.
   *
   * @throws NotFoundError, TimeoutError, ConnectionError (a server that died), ProtocolError, MCPTaskCanceledError
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: ToolCallOptions = {},
  ): Promise<ToolAnswer> {
    return this.#toTool(name, options, (calls, tool, scope) => calls.callTool(tool, args, scope, options.onProgress));
  }

  /**
   * Calls a tool without waiting for the answer of a task, if the server makes one of the call: it goes
   * on after this, and after the host. Otherwise this waits for the answer.
   *
   * @throws as `callTool`
   */
  async startTask(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallOptions = {},
  ): Promise<MCPTask> {
    const { server } = this.#names.find(name);
    const begun = await this.#toTool(name, options, (calls, tool, scope) => calls.startTool(tool, args, scope));
    return new MCPTask(this.#tasksOf(server), 'task' in begun ? begun.task : begun);
  }

  /**
   * The handle of a task of one server that was started before, here or elsewhere. The server is not asked yet.
   *
   * @throws NotFoundError for an unknown server
   */
  resumeTask(server: string, taskId: string): MCPTask {
    this.#link(server);
    return new MCPTask(this.#tasksOf(server), { taskId });
  }

  /** The resources of all servers; one that cannot tell is left out, as by {@link listTools}. */
  async listResources(options: CallOptions = {}): Promise<readonly OfServer<ResourceInfo>[]> {
    return this.#gather('resources/list', options, (calls, scope) => calls.listResources(scope));
  }

  /** The families of resources of all servers; one that cannot tell is left out, as by {@link listTools}. */
  async listResourceTemplates(options: CallOptions = {}): Promise<readonly OfServer<ResourceTemplateInfo>[]> {
    return this.#gather('resources/templates/list', options, (calls, scope) => calls.listResourceTemplates(scope));
  }

  /**
   * Reads a resource of one server.
   *
   * @throws NotFoundError for an unknown server; ProtocolError for an unknown resource
   */
  async readResource(server: string, uri: string, options: CallOptions = {}): Promise<readonly ResourceContents[]> {
    return this.#ask(server, `resources/read '${uri}'`, options, (calls, scope) => calls.readResource(uri, scope));
  }

  /** The prompts of all servers; one that cannot tell is left out, as by {@link listTools}. */
  async listPrompts(options: CallOptions = {}): Promise<readonly OfServer<PromptInfo>[]> {
    return this.#gather('prompts/list', options, (calls, scope) => calls.listPrompts(scope));
  }

  /** @throws NotFoundError for an unknown server; ProtocolError for an unknown prompt */
  async getPrompt(
    server: string,
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<readonly PromptMessage[]> {
    return this.#ask(server, `prompts/get '${name}'`, options, (calls, scope) => calls.getPrompt(name, args, scope));
  }

  /**
   * Values for an argument of a prompt or a variable of a resource template of one server, while
   * somebody types. A server that suggests nothing gives none.
   *
   * @throws NotFoundError for an unknown server; ProtocolError for an unknown prompt or template
   */
  async complete(server: string, request: CompletionRequest, options: CallOptions = {}): Promise<Completion> {
    return this.#ask(server, 'completion/complete', options, (calls, scope) => calls.complete(request, scope));
  }

  /**
   * Tells when resources or lists of one server change, until it is closed. It outlives connections: when
   * one is lost it subscribes again, and tells all it watches as changed.
   *
   * @throws NotFoundError for an unknown server; UnsupportedError when the server does not tell of it;
   * ConfigurationError; ConnectionError
   * @example host.watch('notes', { resources: ['notes://today'] }, { onChange: ({ kind }) => ... });
   */
  async watch(server: string, filter: MCPWatchFilter, options: MCPWatchOptions = {}): Promise<MCPWatch> {
    const source = {
      name: `MCP server '${server}'`,
      open: (tell: (change: MCPChange) => void, limits: CallOptions) =>
        this.#ask(server, 'a subscription', limits, (calls, scope) => calls.watch(filter, tell, scope)),
      returns: () => true,
      onListenerError: (error: unknown) => this.#logger.error({ server, error }, 'listener failed'),
    };
    return MCPWatch.open(source, filter, options);
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
      return { status: 'fail', output: describeError(error) };
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

  protected override onListenerError(error: unknown, listenerOf: string): void {
    this.#logger.error({ listenerOf, error }, 'listener failed');
  }

  #link(server: string): Link {
    const link = this.#links.get(server);
    if (!link) throw new NotFoundError(`This host has no MCP server '${server}'${hint(server, this.servers)}`);
    return link;
  }

  #tasksOf(server: string): TaskSource {
    return {
      getTask: (taskId, options) =>
        this.#ask(server, `tasks/get ${taskId}`, options, (calls, scope) => calls.getTask(taskId, scope)),
      cancelTask: (taskId, options) =>
        this.#ask(server, `tasks/cancel ${taskId}`, options, (calls, scope) => calls.cancelTask(taskId, scope)),
      followTask: (taskId, options) =>
        this.#ask(server, `task ${taskId}`, options, async (calls, scope) =>
          calls.follow('the call', await calls.getTask(taskId, scope), scope, options.onProgress),
        ),
    };
  }

  #toTool<T>(
    name: string,
    options: CallOptions,
    call: (calls: ServerCalls, tool: string, scope: CallScope) => Promise<T>,
  ): Promise<T> {
    const { server, tool: short, own } = this.#names.find(name);
    if (![short, own ?? short].some((known) => isOffered(this.#link(server), known))) throw notOffered(server, short);
    return this.#ask(server, `tools/call '${name}'`, options, async (calls, scope, link) => {
      const isOwn = own !== undefined && (await calls.listTools(scope)).some((known) => known.name === own);
      const tool = isOwn ? own : short;
      if (!isOffered(link, tool)) throw notOffered(server, tool);
      return call(calls, tool, scope);
    });
  }

  async #ask<T>(server: string, what: string, options: CallOptions, ask: Ask<T>): Promise<T> {
    const link = this.#link(server);
    const { signal, timeoutMs = link.config.timeout ?? this.#callTimeoutMs } = options;
    const limits = { ...(signal ? { signal } : {}), timeoutMs };
    return this.#lifecycle.call(`MCP server '${server}': ${what}`, limits, (scope) =>
      link.use(({ calls }) => ask(calls, scope, link)),
    );
  }

  async #gather<T extends object>(what: string, options: CallOptions, ask: Ask<readonly T[]>): Promise<OfServer<T>[]> {
    const limits = { timeoutMs: this.#callTimeoutMs, ...options };
    return this.#lifecycle.call(what, limits, async (scope) => {
      const links = [...this.#links.values()];
      const outcomes = await Promise.allSettled(
        links.map(async (link) => {
          const items = await link.use(({ calls }) => ask(calls, scope, link));
          return items.map((item) => ({ ...item, server: link.name }));
        }),
      );
      const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
      if (failed.length === links.length) rethrow(failed.map(({ reason }) => reason));
      for (const { reason } of failed) this.#logger.warn({ error: reason }, `${what}: an MCP server is left out`);
      return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
    });
  }
}

type Ask<T> = (calls: ServerCalls, scope: CallScope, link: Link) => Promise<T>;

function isOffered({ config }: Link, tool: string): boolean {
  return !config.tools || config.tools.includes('*') || config.tools.includes(tool);
}

function notOffered(server: string, tool: string): NotFoundError {
  return new NotFoundError(`MCP server '${server}' is not configured to offer '${tool}'`);
}

/** Throws the one error there is, or one that tells all of them. */
function rethrow(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  throw new ConnectionError(errors.map(describeError).join('\n'), { cause: new AggregateError(errors) });
}
