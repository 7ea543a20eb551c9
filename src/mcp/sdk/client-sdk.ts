import { importOptional, lazy } from '../../core/internal.js';
import type { Transport } from './server-sdk.js';

/*
 * The part of `@modelcontextprotocol/client` that is used, as structural types, so that the
 * published declarations do not need the optional package.
 */

/** Options of one request. `timeout` is in milliseconds. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  readonly timeout: number;
  readonly onprogress?: (progress: { progress: number; total?: number; message?: string }) => void;
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
  listPrompts(params: undefined, options: RequestOptions): Promise<{ prompts: unknown[] }>;
  getPrompt(params: Params, options: RequestOptions): Promise<{ messages: unknown[] }>;
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
    options: { versionNegotiation: { mode: 'auto' | 'legacy'; probe?: { timeoutMs: number } } },
  ) => SDKClient;
  readonly StreamableHTTPClientTransport: new (
    url: URL,
    options: { requestInit: { headers: Record<string, string> } },
  ) => Transport & { readonly sessionId?: string | undefined };
  /** @throws SyntaxError for a line that is not JSON, another error for JSON that is not JSON-RPC */
  deserializeMessage(line: string): unknown;
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
