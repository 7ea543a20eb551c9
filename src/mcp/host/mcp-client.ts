import {
  type CallOptions,
  type Closeable,
  type CloseOptions,
  detach,
  type Health,
  type HealthCheck,
  Lifecycle,
} from '../../core/index.js';
import { correlationIdHere, describeError } from '../../core/internal.js';
import { correlationKey } from '../correlation.js';
import { loadClientSDK, type RequestOptions, type SDKClient } from '../sdk/client-sdk.js';
import type { Transport } from '../sdk/server-sdk.js';
import type { PromptMessage } from '../server/prompt.js';
import type { ResourceContents } from '../tools/tool.js';
import { type ServerFacts, statusOf, toClientError } from './client-errors.js';
import type { Progress, PromptInfo, ResourceInfo, ToolAnswer, ToolCallOptions, ToolInfo } from './types.js';

/** How a client gets its connection. */
export interface ConnectRequest extends CallOptions, ServerFacts {
  /** The server as it reads in messages. */
  readonly label: string;
  readonly transport: Transport;
  /** Longest time for one call, in milliseconds. @default 60000 */
  readonly callTimeoutMs?: number;
  /** How long to wait for an answer that tells a server's protocol era, in milliseconds. @default 10000 */
  readonly probeTimeoutMs?: number;
  /** Skips asking for the era: the server is known to speak a protocol before 2026-07-28. @default false */
  readonly legacy?: boolean;
  readonly onClose?: () => void;
  /** Called when the server says that it offers other tools. */
  readonly onToolsChanged?: () => void;
  /** Gets the status of each HTTP answer that failed a call. */
  readonly onHTTPStatus?: (status: number) => void;
}

/** Calls end by our own scope; the SDK's timer would only add a second, differently typed end. */
const noTimeout = 2 ** 31 - 1;
const clientInfo = { name: '@safla/sdk', version: '0.1.0' };

/** A client that is connected to one MCP server. Made by `MCPServer.connectInMemory` and by `MCPHost`. */
export class MCPClient implements Closeable, HealthCheck {
  readonly name: string;
  readonly #client: SDKClient;
  readonly #lifecycle: Lifecycle;
  readonly #callTimeoutMs: number;
  readonly #request: ConnectRequest;

  private constructor(client: SDKClient, request: ConnectRequest) {
    this.#client = client;
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
    const { Client } = await loadClientSDK();
    const { transport, label, legacy, onClose, onToolsChanged, probeTimeoutMs = 10_000, timeoutMs, signal } = request;
    const client = new Client(clientInfo, {
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: probeTimeoutMs } },
    });
    if (onClose) client.onclose = onClose;
    const connected = new MCPClient(client, request);
    const limits = { ...(signal ? { signal } : {}), timeoutMs: timeoutMs ?? 30_000 };
    try {
      await connected.#lifecycle.call(`the start of ${label}`, limits, ({ signal }) =>
        client
          .connect(transport, { signal, timeout: noTimeout, ...(legacy ? { prior: { kind: 'legacy' } } : {}) })
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

  /** All pages of the server's tools. */
  async listTools(options: CallOptions = {}): Promise<readonly ToolInfo[]> {
    if (!this.#has('tools')) return [];
    return this.#call(
      'tools/list',
      options,
      async (o) => (await this.#client.listTools(undefined, o)).tools as ToolInfo[],
    );
  }

  /**
   * Calls a tool. A failing tool resolves with `isError`; only a call that could not be made rejects.
   * An abort reaches the server.
   *
   * @throws TimeoutError, ConnectionError, ProtocolError (unknown tool), or the signal's reason
   */
  async callTool(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    options: ToolCallOptions = {},
  ): Promise<ToolAnswer> {
    const { onProgress, ...limits } = options;
    const correlationId = correlationIdHere();
    const params = { name, arguments: args, ...(correlationId ? { _meta: { [correlationKey]: correlationId } } : {}) };
    const progress = onProgress ? { onprogress: (value: Progress) => onProgress(value) } : {};
    return this.#call(`tools/call '${name}'`, limits, async (o) =>
      toAnswer(await this.#client.callTool(params, { ...o, ...progress })),
    );
  }

  /** All pages of the server's resources. */
  async listResources(options: CallOptions = {}): Promise<readonly ResourceInfo[]> {
    if (!this.#has('resources')) return [];
    return this.#call(
      'resources/list',
      options,
      async (o) => (await this.#client.listResources(undefined, o)).resources as ResourceInfo[],
    );
  }

  /** @throws ProtocolError when there is no such resource */
  async readResource(uri: string, options: CallOptions = {}): Promise<readonly ResourceContents[]> {
    return this.#call(
      `resources/read '${uri}'`,
      options,
      async (o) => (await this.#client.readResource({ uri }, o)).contents as ResourceContents[],
    );
  }

  /** All pages of the server's prompts. */
  async listPrompts(options: CallOptions = {}): Promise<readonly PromptInfo[]> {
    if (!this.#has('prompts')) return [];
    return this.#call(
      'prompts/list',
      options,
      async (o) => (await this.#client.listPrompts(undefined, o)).prompts as PromptInfo[],
    );
  }

  /** @throws ProtocolError when there is no such prompt or an argument is missing */
  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: CallOptions = {},
  ): Promise<readonly PromptMessage[]> {
    return this.#call(
      `prompts/get '${name}'`,
      options,
      async (o) => (await this.#client.getPrompt({ name, arguments: args }, o)).messages as PromptMessage[],
    );
  }

  /** Asks the server for a sign of life. */
  async health(options: CallOptions = {}): Promise<Health> {
    const start = performance.now();
    const modern = this.#client.getProtocolEra() === 'modern';
    try {
      await this.#call('a sign of life', { timeoutMs: 5_000, ...options }, (o) =>
        modern ? this.#client.discover(o) : this.#client.ping(o),
      );
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

  /**
   * Servers of 2026-07-28 tell of changes on a stream that is asked for; the others by themselves. The
   * stream is not waited for: where something holds it back, all else still works.
   */
  #listen(onToolsChanged: () => void): void {
    const client = this.#client as ListeningClient;
    const tools = client.getServerCapabilities()?.tools as { readonly listChanged?: boolean } | undefined;
    if (!tools?.listChanged) return;
    client.setNotificationHandler('notifications/tools/list_changed', onToolsChanged);
    if (this.isLegacy) return;
    detach(() => client.listen({ toolsListChanged: true }, { timeout: noTimeout })).catch(() => undefined);
  }

  #has(capability: string): boolean {
    return this.#client.getServerCapabilities()?.[capability] !== undefined;
  }

  async #call<T>(what: string, options: CallOptions, ask: (options: RequestOptions) => Promise<T>): Promise<T> {
    const limits = { timeoutMs: this.#callTimeoutMs, ...options };
    return this.#lifecycle.call(`${this.name}: ${what}`, limits, async ({ signal }) => {
      try {
        return await ask({ signal, timeout: noTimeout });
      } catch (error) {
        const status = statusOf(error);
        if (status !== undefined) this.#request.onHTTPStatus?.(status);
        throw toClientError(error, this.name, what, this.#request);
      }
    });
  }
}

/** What else the SDK's client can do. */
interface ListeningClient extends SDKClient {
  setNotificationHandler(method: string, handler: () => void): void;
  listen(filter: { readonly toolsListChanged: true }, options: { readonly timeout: number }): Promise<unknown>;
}

function toAnswer(result: unknown): ToolAnswer {
  const answer = result as Omit<ToolAnswer, 'text'> & { isError?: boolean };
  const texts = answer.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return { ...answer, isError: answer.isError ?? false, text: texts.join('\n') };
}
