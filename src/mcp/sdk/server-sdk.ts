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
    readonly _meta?: Readonly<Record<string, unknown>>;
    readonly signal: AbortSignal;
    notify(notification: { method: string; params: Record<string, unknown> }): Promise<void>;
    log(level: LogLevel, data: unknown, logger?: string): Promise<void>;
  };
  /** Set for requests that came over HTTP. */
  readonly http?: { readonly authInfo?: AuthInfo | undefined } | undefined;
}

/** What `fetch` hands through the SDK to a request; only `extra.principal` is ours. */
export interface AuthInfo {
  readonly token: string;
  readonly clientId: string;
  readonly scopes: string[];
  readonly extra?: Record<string, unknown>;
}

export interface RPCRequest {
  readonly params: {
    readonly name: string;
    readonly uri: string;
    readonly arguments?: Record<string, unknown>;
  };
}

/** The SDK's `Server`: one client's connection, or one HTTP request. */
export interface Connection {
  setRequestHandler(method: string, handler: (request: RPCRequest, context: RequestContext) => unknown): void;
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
  fetch(request: Request, options?: { authInfo?: AuthInfo }): Promise<Response>;
  close(): Promise<void>;
  readonly notify: { toolsChanged(): void; promptsChanged(): void; resourcesChanged(): void };
}

interface HeaderCheck {
  readonly ok: boolean;
  readonly message?: string;
}

export interface ServerSDK {
  readonly Server: new (
    info: { name: string; version: string },
    options: { capabilities: Record<string, unknown>; instructions?: string },
  ) => Connection;
  readonly ProtocolError: new (code: number, message: string, data?: unknown) => Error;
  readonly ResourceNotFoundError: new (uri: string) => Error;
  readonly InMemoryTransport: { createLinkedPair(): [Transport, Transport] };
  createMcpHandler(
    factory: () => Connection,
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
  readonly StdioServerTransport: new (stdin: NodeJS.ReadableStream, stdout: NodeJS.WritableStream) => Transport;
  serveStdio(
    factory: () => Connection,
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
