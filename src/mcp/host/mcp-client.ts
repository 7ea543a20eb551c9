import {
  type CallOptions,
  CallScope,
  type Closeable,
  type CloseOptions,
  detach,
  type Health,
  type HealthCheck,
  Lifecycle,
} from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import { clientClass, type TaskClient } from '../sdk/client-class.js';
import { loadClientSDK } from '../sdk/client-sdk.js';
import type { Transport } from '../sdk/server-sdk.js';
import type { PromptMessage } from '../server/prompt.js';
import { tasksExtension } from '../server/task-handlers.js';
import type { ResourceContents } from '../tools/tool.js';
import type { MCPChange, MCPWatchFilter } from './change-feed.js';
import { isGone, toClientError } from './client-errors.js';
import { capabilitiesOf, type MCPAnswers, serveAnswers } from './mcp-answers.js';
import { MCPTask, type TaskSource } from './mcp-task.js';
import type { MCPTaskView } from './mcp-task-view.js';
import { MCPWatch, type MCPWatchOptions } from './mcp-watch.js';
import { ScopeSignal } from './scope-signal.js';
import { type ConnectionFacts, noTimeout, ServerCalls } from './server-calls.js';
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

/** How a client gets its connection. */
export interface ConnectRequest extends CallOptions, ConnectionFacts {
  readonly transport: Transport;
  /** The server's own name. @default `label` */
  readonly server?: string;
  /** Longest time for one call, in milliseconds. @default 60000 */
  readonly callTimeoutMs?: number;
  /** How long to wait for an answer that tells a server's protocol era, in milliseconds. @default 10000 */
  readonly probeTimeoutMs?: number;
  /** Skips asking for the era: the server is known to speak a protocol before 2026-07-28. @default false */
  readonly legacy?: boolean;
  /** Answers to the server's questions. @default it can ask nothing */
  readonly answers?: MCPAnswers;
  readonly onClose?: () => void;
  /** Called when the server can tell of no changes any more, while somebody watches. */
  readonly onStreamLost?: () => void;
  /** Called when the server says that it offers other tools. */
  readonly onToolsChanged?: () => void;
}

const clientInfo = { name: '@safla/sdk', version: '0.1.0' };
/** A list of more pages than this is no list. */
const maxPages = 1_000;

/** A client that is connected to one MCP server. Made by `MCPServer.connectInMemory` and by `MCPHost`. */
export class MCPClient implements Closeable, HealthCheck {
  readonly name: string;
  /** @internal The same requests, inside a scope that the caller waits on. */
  readonly calls: ServerCalls;
  readonly #client: TaskClient;
  readonly #lifecycle: Lifecycle;
  readonly #callTimeoutMs: number;
  readonly #request: ConnectRequest;
  readonly #tasks: TaskSource = {
    getTask: (taskId, options) => this.getTask(taskId, options),
    cancelTask: (taskId, options) => this.cancelTask(taskId, options),
    followTask: (taskId, options) => this.followTask(taskId, options),
  };

  private constructor(client: TaskClient, request: ConnectRequest) {
    this.#client = client;
    this.calls = new ServerCalls(client, request);
    this.#request = request;
    this.name = request.label;
    this.#lifecycle = new Lifecycle(`The client of ${request.label}`);
    this.#callTimeoutMs = request.callTimeoutMs ?? 60_000;
  }

  /**
   * Opens the transport and agrees on a protocol. Closes the transport when that fails.
   *
   * @internal
   * @throws TimeoutError, ConnectionError or ProtocolError
   */
  static async connect(request: ConnectRequest): Promise<MCPClient> {
    const Client = clientClass(await loadClientSDK());
    const { transport, label, legacy, onClose, onToolsChanged, probeTimeoutMs = 10_000, timeoutMs, signal } = request;
    const { answers = {}, server = label } = request;
    const client = new Client(clientInfo, {
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: probeTimeoutMs } },
      capabilities: { ...capabilitiesOf(answers), extensions: { [tasksExtension]: {} } },
      listMaxPages: maxPages,
    });
    serveAnswers(client, server, answers);
    const connected = new MCPClient(client, request);
    const { feed } = connected.calls;
    client.onclose = () => {
      feed.end();
      onClose?.();
    };
    client.onerror = ({ message }) => {
      // The SDK has given up the stream by which servers before 2026-07-28 tell of changes.
      if (!feed.isUsed || !connected.isLegacy || !/^Maximum reconnection attempts/.test(message)) return;
      request.onStreamLost?.();
      feed.end();
    };
    const limits = { ...(signal ? { signal } : {}), timeoutMs: timeoutMs ?? 30_000 };
    try {
      await connected.#lifecycle.call(`the start of ${label}`, limits, (scope) =>
        client
          .connect(transport, {
            signal: new ScopeSignal(scope),
            timeout: noTimeout,
            ...(legacy ? { prior: { kind: 'legacy' } } : {}),
          })
          .catch((error: unknown) => {
            throw toClientError(error, label, 'the first message', request);
          }),
      );
    } catch (error) {
      await transport.close().catch(() => undefined);
      throw error;
    }
    if (onToolsChanged) connected.#listen(onToolsChanged);
    return connected;
  }

  /** What the server calls itself. */
  get serverInfo(): { readonly name: string; readonly version: string } | undefined {
    return this.#client.getServerVersion();
  }

  /** The protocol revision both sides agreed on, as `2026-07-28`. */
  get protocolVersion(): string | undefined {
    return this.#client.getNegotiatedProtocolVersion();
  }

  /** True for a protocol before 2026-07-28. */
  get isLegacy(): boolean {
    return this.#client.getProtocolEra() === 'legacy';
  }

  /** How the server wants to be used, in its own words. */
  get instructions(): string | undefined {
    return this.#client.getInstructions();
  }

  /** All pages of the server's tools, at most 1,000 of them. */
  async listTools(options: CallOptions = {}): Promise<readonly ToolInfo[]> {
    return this.#call('tools/list', options, (scope) => this.calls.listTools(scope));
  }

  /**
   * Calls a tool. A failing tool resolves with `isError`; only a call that could not be made rejects.
   * An abort reaches the server. A server may make a task of the call: it is then asked for the answer as
   * often as it says, and the task is cancelled when the signal aborts or the time is over.
   *
   * @throws TimeoutError, ConnectionError, ProtocolError (unknown tool), MCPTaskCanceledError, or the signal's reason
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: ToolCallOptions = {},
  ): Promise<ToolAnswer> {
    return this.#call(`tools/call '${name}'`, options, (scope) =>
      this.calls.callTool(name, args, scope, options.onProgress),
    );
  }

  /**
   * Calls a tool without waiting for the answer of a task, if the server makes one of the call: it goes
   * on after this, and after the connection. Otherwise this waits for the answer.
   *
   * @throws as `callTool`
   */
  async startTask(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: CallOptions = {},
  ): Promise<MCPTask> {
    const begun = await this.#call(`tools/call '${name}'`, options, (scope) => this.calls.startTool(name, args, scope));
    return new MCPTask(this.#tasks, 'task' in begun ? begun.task : begun);
  }

  /** The handle of a task that was started before, here or elsewhere. The server is not asked yet. */
  resumeTask(taskId: string): MCPTask {
    return new MCPTask(this.#tasks, { taskId });
  }

  /** @internal */
  async getTask(taskId: string, options: CallOptions): Promise<MCPTaskView> {
    return this.#call(`tasks/get ${taskId}`, options, (scope) => this.calls.getTask(taskId, scope));
  }

  /** @internal */
  async cancelTask(taskId: string, options: CallOptions): Promise<void> {
    return this.#call(`tasks/cancel ${taskId}`, options, (scope) => this.calls.cancelTask(taskId, scope));
  }

  /** @internal */
  async followTask(taskId: string, options: ToolCallOptions): Promise<ToolAnswer> {
    return this.#call(`task ${taskId}`, options, async (scope) =>
      this.calls.follow('the call', await this.calls.getTask(taskId, scope), scope, options.onProgress),
    );
  }

  /** All pages of the server's resources. */
  async listResources(options: CallOptions = {}): Promise<readonly ResourceInfo[]> {
    return this.#call('resources/list', options, (scope) => this.calls.listResources(scope));
  }

  /** All pages of the server's families of resources. */
  async listResourceTemplates(options: CallOptions = {}): Promise<readonly ResourceTemplateInfo[]> {
    return this.#call('resources/templates/list', options, (scope) => this.calls.listResourceTemplates(scope));
  }

  /** @throws ProtocolError when there is no such resource */
  async readResource(uri: string, options: CallOptions = {}): Promise<readonly ResourceContents[]> {
    return this.#call(`resources/read '${uri}'`, options, (scope) => this.calls.readResource(uri, scope));
  }

  /** All pages of the server's prompts. */
  async listPrompts(options: CallOptions = {}): Promise<readonly PromptInfo[]> {
    return this.#call('prompts/list', options, (scope) => this.calls.listPrompts(scope));
  }

  /** @throws ProtocolError when there is no such prompt or an argument is missing */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<readonly PromptMessage[]> {
    return this.#call(`prompts/get '${name}'`, options, (scope) => this.calls.getPrompt(name, args, scope));
  }

  /**
   * Values for an argument of a prompt or a variable of a resource template, while somebody types. A
   * server that suggests nothing gives none.
   *
   * @throws ProtocolError when there is no such prompt or template
   */
  async complete(request: CompletionRequest, options: CallOptions = {}): Promise<Completion> {
    return this.#call('completion/complete', options, (scope) => this.calls.complete(request, scope));
  }

  /**
   * Tells when resources or lists of the server change, until it is closed. A watch ends with the
   * connection; one of `MCPHost.watch` outlives it.
   *
   * @throws UnsupportedError when the server does not tell of it; ConfigurationError
   */
  async watch(filter: MCPWatchFilter, options: MCPWatchOptions = {}): Promise<MCPWatch> {
    const source = {
      name: this.name,
      open: (tell: (change: MCPChange) => void, limits: CallOptions) =>
        this.#call('a subscription', limits, (scope) => this.calls.watch(filter, tell, scope)),
      returns: (error: unknown) => error instanceof Error && !isGone(error),
      onListenerError: (error: unknown) => this.#request.onListenerError?.(error),
    };
    return MCPWatch.open(source, filter, options);
  }

  /** Asks the server for a sign of life. */
  async health(options: CallOptions = {}): Promise<Health> {
    const start = performance.now();
    try {
      await this.#call('a sign of life', { timeoutMs: 5_000, ...options }, (scope) => this.calls.ping(scope));
      return { status: 'pass', latencyMs: performance.now() - start, details: { protocol: this.protocolVersion } };
    } catch (error) {
      return { status: 'fail', output: describeError(error) };
    }
  }

  async close(options: CloseOptions = {}): Promise<void> {
    await this.#lifecycle.close(options, () => this.#client.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** It is not waited for: where something holds the stream of changes back, all else still works. */
  #listen(onToolsChanged: () => void): void {
    const { feed } = this.calls;
    const scope = new CallScope('listening to changes');
    const options = { signal: new ScopeSignal(scope), timeout: noTimeout };
    detach(() => feed.open({ lists: ['tools'] }, onToolsChanged, options)).catch(() => undefined);
  }

  #call<T>(what: string, options: CallOptions, ask: (scope: CallScope) => Promise<T>): Promise<T> {
    const { signal, timeoutMs = this.#callTimeoutMs } = options;
    return this.#lifecycle.call(`${this.name}: ${what}`, { ...(signal ? { signal } : {}), timeoutMs }, ask);
  }
}
