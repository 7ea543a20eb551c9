import { extname } from 'node:path';
import { type CallOptions, type Closeable, type CloseOptions, ConfigurationError } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import type {
  MCPClient,
  ResourceContents,
  ResourceInfo,
  ServerConfig,
  StdioServerConfig,
  ToolAnswer,
  ToolInfo,
} from '../../mcp/index.js';

const loadMCP = lazy(() => import('../../mcp/index.js'));

/** An MCP server in this process: `MCPServer` is one. */
export interface InMemoryMCPServer {
  connectInMemory(): Promise<MCPClient>;
}

/**
 * The server to test: a program by its path (`.js .mjs .cjs` by Node, `.ts .mts` by Node with tsx, `.py` by
 * python3, all else by itself), a command or URL as in an MCP config, or a server in this process.
 */
export type MCPServerTarget = string | ServerConfig | InMemoryMCPServer;

/** How a program is started. */
export interface StartMCPServerOptions extends CallOptions {
  readonly args?: readonly string[];
  /** Added to PATH, HOME and the few others that every server gets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

type Asked = Pick<MCPClient, 'listTools' | 'callTool' | 'listResources' | 'close'> & {
  readResource(uri: string): Promise<readonly ResourceContents[]>;
};

/** A running MCP server and a client of it. Lists have the form of the protocol: `{ tools }`, `{ resources }`. */
export class TestMCPServer implements Closeable {
  readonly #asked: Asked;

  private constructor(asked: Asked) {
    this.#asked = asked;
  }

  /** @throws ConnectionError, ProtocolError or TimeoutError that says what the program printed last */
  static async start(target: MCPServerTarget, options: StartMCPServerOptions = {}): Promise<TestMCPServer> {
    if (isInMemory(target)) return new TestMCPServer(await target.connectInMemory());
    const { signal, timeoutMs = 60_000, ...settings } = options;
    const name = 'tested';
    const config = configOf(target, settings);
    const { MCPHost } = await loadMCP();
    const host = new MCPHost({ servers: { [name]: config } }, { startTimeoutMs: timeoutMs });
    try {
      await host.connect({ timeoutMs, ...(signal ? { signal } : {}) });
    } catch (error) {
      await host.close({ timeoutMs: 1 });
      throw error;
    }
    return new TestMCPServer({
      listTools: (call) => host.listTools(call),
      callTool: (tool, args, call) => host.callTool(tool, args, call),
      listResources: (call) => host.listResources(call),
      readResource: (uri) => host.readResource(name, uri),
      close: (call) => host.close(call),
    });
  }

  /** Empty for a server that does not declare tools. */
  async listTools(options: CallOptions = {}): Promise<{ readonly tools: readonly ToolInfo[] }> {
    return { tools: await this.#asked.listTools(options) };
  }

  /** A failing tool resolves with `isError`. @throws ProtocolError for a call that the server refuses */
  callTool(name: string, args: Readonly<Record<string, unknown>> = {}, options: CallOptions = {}): Promise<ToolAnswer> {
    return this.#asked.callTool(name, args, options);
  }

  /** Empty for a server that does not declare resources. */
  async listResources(options: CallOptions = {}): Promise<{ readonly resources: readonly ResourceInfo[] }> {
    return { resources: await this.#asked.listResources(options) };
  }

  async readResource(uri: string): Promise<{ readonly contents: readonly ResourceContents[] }> {
    return { contents: await this.#asked.readResource(uri) };
  }

  /** Ends the program and what it started. */
  async close(options: CloseOptions = {}): Promise<void> {
    await this.#asked.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function isInMemory(target: MCPServerTarget): target is InMemoryMCPServer {
  return typeof (target as Partial<InMemoryMCPServer> | undefined)?.connectInMemory === 'function';
}

function configOf(
  target: string | ServerConfig,
  { args = [], env, cwd }: Pick<StartMCPServerOptions, 'args' | 'env' | 'cwd'>,
): ServerConfig {
  if (typeof target === 'object' && target !== null) return target;
  if (typeof target !== 'string' || target.trim() === '') {
    throw new ConfigurationError('An MCP server is a path, { command } or { url }, or an MCPServer', { field: 'path' });
  }
  const [command, ...before] = programOf(target);
  const settings = { ...(env ? { env } : {}), ...(cwd === undefined ? {} : { cwd }) };
  return {
    command,
    args: [...before, target, ...args].slice(command === target ? 1 : 0),
    ...settings,
  } satisfies StdioServerConfig;
}

function programOf(path: string): [command: string, ...args: string[]] {
  switch (extname(path)) {
    case '.js':
    case '.mjs':
    case '.cjs':
      return [process.execPath];
    case '.ts':
    case '.mts':
      return [process.execPath, '--import', 'tsx'];
    case '.py':
      return ['python3'];
    default:
      return [path];
  }
}
