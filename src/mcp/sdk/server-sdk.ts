import { importOptional, lazy } from '../../core/internal.js';
import type { LogLevel, ToolResult } from '../tools/tool.js';

/*
 * The part of `@modelcontextprotocol/server` and `/node` that is used, as structural types, so that
 * the published declarations do not need the optional packages.
 */

/** A channel of JSON-RPC messages; the SDK sets the callbacks. */
export interface Transport {
  start(): Promise<void>;
  send(message: unknown): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: unknown) => void) | undefined;
}

/** What the SDK tells about a request beside its parameters. */
export interface RequestContext {
  readonly mcpReq: {
    readonly id: string | number;
    readonly _meta?: Readonly<Record<string, unknown>>;
    readonly signal: AbortSignal;
    /** What 2026-07-28 says with every request; undefined for clients before it. */
    readonly envelope?: Readonly<Record<string, unknown>>;
    /** What the client answered to the questions of the call's last run (2026-07-28). */
    readonly inputResponses?: Readonly<Record<string, unknown>>;
    /** What the call's last run gave the client to bring back; anything at all, as it came. */
    requestState(): unknown;
    notify(notification: { method: string; params: Record<string, unknown> }): Promise<void>;
    /** A request to the client (before 2026-07-28 only). */
    send(
      request: { method: string; params: Readonly<Record<string, unknown>> },
      options: { timeout: number; signal: AbortSignal },
    ): Promise<unknown>;
  };
  /** Set for requests that came over HTTP. */
  readonly http?: { readonly authInfo?: AuthInfo | undefined; closeSSE?(): void } | undefined;
}

/** What `fetch` hands through the SDK to a request; only `extra.principal` is ours. */
export interface AuthInfo {
  readonly token: string;
  readonly clientId: string;
  readonly scopes: string[];
  readonly extra?: Record<string, unknown>;
}

export interface RPCRequest {
  readonly params: RPCParams;
}

/** Parameters of the requests that are handled; the SDK has checked those that a method has. */
export interface RPCParams {
  readonly name: string;
  readonly uri: string;
  readonly arguments?: Record<string, unknown>;
  readonly level: LogLevel;
  readonly taskId: string;
  /** Where a list goes on. */
  readonly cursor?: unknown;
  readonly inputResponses?: Readonly<Record<string, unknown>>;
  readonly ref: { readonly type: string; readonly name: string; readonly uri: string };
  readonly argument: { readonly name: string; readonly value: string };
  readonly context?: { readonly arguments?: Readonly<Record<string, string>> };
}

/** Takes parameters as they are: for methods whose handlers look at them themselves. */
export const unchecked: { readonly params: unknown } = {
  params: { '~standard': { version: 1, vendor: 'safla', validate: (value: unknown) => ({ value }) } },
};

/** `legacy`: the protocols before 2026-07-28, which begin with `initialize`. */
export type Era = 'legacy' | 'modern';

/** The SDK's `Server`: one client's connection, or one HTTP request. */
export interface Connection {
  setRequestHandler(method: string, handler: (request: RPCRequest, context: RequestContext) => unknown): void;
  setRequestHandler(
    method: string,
    schemas: { readonly params: unknown },
    handler: (params: RPCParams, context: RequestContext) => unknown,
  ): void;
  connect(transport: Transport): Promise<void>;
  getClientCapabilities(): Readonly<Record<string, unknown>> | undefined;
  getClientVersion(): { readonly name?: string; readonly version?: string } | undefined;
  sendResourceUpdated(params: { uri: string }): Promise<void>;
  /** Gives a result the shape that the negotiated protocol revision asks for. */
  projectCallToolResult(result: ToolResult, outputSchema: Readonly<Record<string, unknown>> | undefined): ToolResult;
  sendToolListChanged(): Promise<void>;
  sendResourceListChanged(): Promise<void>;
  sendPromptListChanged(): Promise<void>;
  close(): Promise<void>;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
}

export interface HTTPHandler {
  fetch(request: Request, options?: { authInfo?: AuthInfo; parsedBody?: unknown }): Promise<Response>;
  close(): Promise<void>;
  readonly notify: {
    toolsChanged(): void;
    promptsChanged(): void;
    resourcesChanged(): void;
    resourceUpdated(uri: string): void;
  };
}

/** One session of Streamable HTTP, as protocols before 2026-07-28 have it. */
export interface SessionTransport extends Transport {
  handleRequest(request: Request, options?: { authInfo?: AuthInfo; parsedBody?: unknown }): Promise<Response>;
}

/** Signs and reads what a call gives its client to bring back. */
export interface StateCodec {
  mint(payload: unknown, context: RequestContext): Promise<string>;
  /** Rejects for what is forged, of another caller, or too old. */
  verify(state: string, context: RequestContext): Promise<unknown>;
}

/** A parsed URI template (RFC 6570). */
export interface URITemplate {
  readonly variableNames: readonly string[];
  match(uri: string): Readonly<Record<string, string | string[]>> | null;
}

interface HeaderCheck {
  readonly ok: boolean;
  readonly message?: string;
}

export interface ServerSDK {
  readonly Server: new (
    info: { name: string; version: string },
    options: { capabilities: Record<string, unknown>; instructions?: string; cacheHints?: object },
  ) => Connection;
  readonly WebStandardStreamableHTTPServerTransport: new (options: {
    sessionIdGenerator: () => string;
    onsessionclosed?: (id: string) => void;
    eventStore?: object;
    maxRequestBodySize: number;
  }) => SessionTransport;
  readonly UriTemplate: new (template: string) => URITemplate;
  readonly MissingRequiredClientCapabilityError: new (
    data: { requiredCapabilities: Readonly<Record<string, object>> },
    message: string,
  ) => Error;
  createRequestStateCodec(options: {
    key: string | Uint8Array;
    ttlSeconds: number;
    bind: (context: RequestContext) => string;
  }): StateCodec;
  isInitializeRequest(value: unknown): boolean;
  readRequestBody(request: Request, maxBytes: number): Promise<{ tooLarge: true } | { tooLarge: false; text: string }>;
  readonly ProtocolError: new (code: number, message: string, data?: unknown) => Error;
  readonly ResourceNotFoundError: new (uri: string) => Error;
  readonly InMemoryTransport: { createLinkedPair(): [Transport, Transport] };
  createMcpHandler(
    factory: (about: { era: Era }) => Connection,
    options: { onerror: (error: Error) => void; maxRequestBodySize: number },
  ): HTTPHandler;
  fromJsonSchema(schema: Record<string, unknown>): {
    '~standard': { validate(value: unknown): { value?: unknown; issues?: { message: string }[] } };
  };
  validateHostHeader(host: string, allowed: string[]): HeaderCheck;
  validateOriginHeader(origin: string | null, allowed: string[]): HeaderCheck;
  localhostAllowedHostnames(): string[];
}

export interface StdioSDK {
  serveStdio(
    factory: (about: { era: Era }) => Connection,
    options: { transport: Transport; onerror: (error: Error) => void },
  ): { close(): Promise<void> };
}

export interface NodeSDK {
  toNodeHandler(
    handler: { fetch(request: Request): Promise<Response> },
    options: { onerror: (error: Error) => void; maxRequestBodySize: number },
  ): (request: unknown, response: unknown) => Promise<void>;
}

/** JSON-RPC's code for parameters that do not fit, which MCP uses for unknown names as well. */
export const invalidParams: number = -32602;

/** @throws MissingDependencyError */
export const loadServerSDK: () => Promise<ServerSDK> = lazy(() =>
  importOptional('@modelcontextprotocol/server', 'MCPServer', async () => {
    try {
      return (await import('@modelcontextprotocol/server')) as unknown as ServerSDK;
    } catch (error) {
      return Promise.reject(error);
    }
  }),
);

/** @throws MissingDependencyError */
export const loadStdioSDK: () => Promise<StdioSDK> = lazy(() =>
  importOptional('@modelcontextprotocol/server', 'MCPServer', async () => {
    try {
      return (await import('@modelcontextprotocol/server/stdio')) as unknown as StdioSDK;
    } catch (error) {
      return Promise.reject(error);
    }
  }),
);

/** @throws MissingDependencyError */
export const loadNodeSDK: () => Promise<NodeSDK> = lazy(() =>
  importOptional('@modelcontextprotocol/node', 'MCPServer.listen', async () => {
    try {
      return (await import('@modelcontextprotocol/node')) as unknown as NodeSDK;
    } catch (error) {
      return Promise.reject(error);
    }
  }),
);
