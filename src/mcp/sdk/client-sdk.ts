import { importOptional, lazy } from '../../core/internal.js';
import type { Transport } from './server-sdk.js';

/*
 * The part of `@modelcontextprotocol/client` that is used, as structural types, so that the
 * published declarations do not need the optional package.
 */

/** Options of one request. `timeout` is in milliseconds. */
export interface RequestOptions {
  readonly signal: SignalLike;
  readonly timeout: number;
  readonly onprogress?: (progress: { progress: number; total?: number; message?: string }) => void;
}

/** What the SDK uses of a caller's signal. */
export interface SignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: object): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Answers a request of the server. */
export type RequestAnswer = (
  request: { readonly params?: Params },
  context: { readonly mcpReq: { readonly signal: AbortSignal } },
) => unknown;

/** What `subscriptions/listen` of 2026-07-28 tells of. */
export interface ListenFilter {
  readonly toolsListChanged?: true;
  readonly promptsListChanged?: true;
  readonly resourcesListChanged?: true;
  readonly resourceSubscriptions?: readonly string[];
  /** Of the tasks extension. */
  readonly taskIds?: readonly string[];
}

/** A stream of `subscriptions/listen`. */
export interface ListenStream {
  readonly honoredFilter: ListenFilter;
  /** Resolves, with who ended it, when it has ended. */
  readonly closed: Promise<'local' | 'remote' | 'graceful'>;
  close(): Promise<void>;
}

type Params = Readonly<Record<string, unknown>>;

/** The SDK's `Client`. Results are what the wire carried, checked by the SDK. */
export interface SDKClient {
  connect(transport: Transport, options: RequestOptions & { prior?: { kind: 'legacy' } }): Promise<void>;
  close(): Promise<void>;
  listTools(params: undefined, options: RequestOptions): Promise<{ tools: unknown[] }>;
  callTool(params: Params, options: RequestOptions): Promise<unknown>;
  listResources(params: undefined, options: RequestOptions): Promise<{ resources: unknown[] }>;
  readResource(params: Params, options: RequestOptions): Promise<{ contents: unknown[] }>;
  listResourceTemplates(params: undefined, options: RequestOptions): Promise<{ resourceTemplates: unknown[] }>;
  listPrompts(params: undefined, options: RequestOptions): Promise<{ prompts: unknown[] }>;
  getPrompt(params: Params, options: RequestOptions): Promise<{ messages: unknown[] }>;
  complete(params: Params, options: RequestOptions): Promise<{ completion: unknown }>;
  subscribeResource(params: { uri: string }, options: RequestOptions): Promise<unknown>;
  unsubscribeResource(params: { uri: string }, options: RequestOptions): Promise<unknown>;
  listen(filter: ListenFilter, options: RequestOptions): Promise<ListenStream>;
  setRequestHandler(method: string, handler: RequestAnswer): void;
  setNotificationHandler(method: string, handler: (notification: { readonly params?: Params }) => void): void;
  ping(options: RequestOptions): Promise<unknown>;
  discover(options: RequestOptions): Promise<unknown>;
  getServerCapabilities(): Params | undefined;
  getServerVersion(): { readonly name: string; readonly version: string } | undefined;
  getNegotiatedProtocolVersion(): string | undefined;
  getProtocolEra(): 'legacy' | 'modern' | undefined;
  getInstructions(): string | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
}

export interface ClientSDK {
  readonly Client: new (
    info: { name: string; version: string },
    options: {
      versionNegotiation: { mode: 'auto' | 'legacy'; probe?: { timeoutMs: number } };
      capabilities: Readonly<Record<string, object>>;
      listMaxPages?: number;
    },
  ) => SDKClient;
  readonly StreamableHTTPClientTransport: new (
    url: URL,
    options: { requestInit: { headers: Record<string, string> } },
  ) => Transport & { readonly sessionId?: string | undefined };
}

/** @throws MissingDependencyError */
export const loadClientSDK: () => Promise<ClientSDK> = lazy(() =>
  importOptional('@modelcontextprotocol/client', 'MCPHost', async () => {
    try {
      return (await import('@modelcontextprotocol/client')) as unknown as ClientSDK;
    } catch (error) {
      return Promise.reject(error);
    }
  }),
);
