/**
 * The custom server with resources that come and go, a cache of results, and structured logs.
 * Logs go to stderr, as one JSON object per line: stdout belongs to the protocol.
 *
 *   LOG_LEVEL=debug ENABLE_CACHING=true CACHE_TTL=600 node --import tsx examples/servers/advanced-mcp-server.ts
 */
import { pathToFileURL } from 'node:url';
import { type MCPServerOptions, type ResourceDefinition, runStdio, type ToolResult } from '@safla/sdk/mcp';
import { CustomMCPServer } from './custom-mcp-server.js';

type Layer = NonNullable<MCPServerOptions['use']>[number];
type Logger = NonNullable<NonNullable<MCPServerOptions['telemetry']>['logger']>;

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** What the environment says; `CACHE_TTL` is in seconds, `CACHE_SIZE` in results. */
export interface AdvancedSettings {
  readonly logLevel: string;
  readonly caching: boolean;
  readonly cacheTTLMs: number;
  readonly cacheSize: number;
}

export class AdvancedMCPServer extends CustomMCPServer {
  private readonly cache: ResultCache;

  constructor(settings: AdvancedSettings = settingsOf(process.env)) {
    const cache = new ResultCache(settings.cacheTTLMs, settings.cacheSize);
    super(AdvancedMCPServer.setupAdvancedFeatures(settings, cache));
    this.cache = cache;
  }

  private static setupAdvancedFeatures(settings: AdvancedSettings, cache: ResultCache): Partial<MCPServerOptions> {
    const logger = AdvancedMCPServer.setupLogging(settings.logLevel);
    const errorHandling = AdvancedMCPServer.setupErrorHandling(logger);
    const caching = settings.caching ? [AdvancedMCPServer.setupCaching(cache)] : [];
    return { name: 'advanced-mcp-server', telemetry: { logger }, use: [errorHandling, ...caching] };
  }

  protected override setupResourceHandlers(): void {
    this.addResource('cache://statistics', {
      name: 'Cache statistics',
      description: 'How many results are cached, and how often one was used',
      mimeType: 'application/json',
      content: () => JSON.stringify(this.cache.statistics()),
    });
  }

  /** A layer that answers calls of read-only tools from the cache. */
  private static setupCaching(cache: ResultCache): Layer {
    return async (call, next) => {
      if (!call.tool.annotations?.readOnlyHint) return next();
      const key = JSON.stringify([call.tool.name, call.arguments]);
      const cached = cache.get(key);
      if (cached) return cached;
      const result = await next();
      if (!result.isError) cache.set(key, result);
      return result;
    };
  }

  /** A layer that logs each call and its failure. The error goes on: the server decides what a client may read. */
  private static setupErrorHandling(logger: Logger): Layer {
    return async (call, next) => {
      const start = performance.now();
      const facts = (): object => ({ tool: call.tool.name, durationMs: Math.round(performance.now() - start) });
      try {
        const result = await next();
        logger.info(facts(), 'tool call');
        return result;
      } catch (error) {
        logger.warn({ ...facts(), error: (error as Error).name }, 'tool call failed');
        throw error;
      }
    };
  }

  private static setupLogging(minimum: string): Logger {
    const from = Math.max(0, (levels as readonly string[]).indexOf(minimum));
    const write =
      (level: (typeof levels)[number]) =>
      (facts: object, message?: string): void => {
        if (levels.indexOf(level) < from) return;
        process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...facts })}\n`);
      };
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  }

  /** Adds a resource, or replaces the one with this URI. Connected clients are told. */
  addResource(uri: string, resource: ResourceDefinition): void {
    this.server.addResource(uri, resource);
  }

  /** Removes a resource. Connected clients are told. */
  removeResource(uri: string): void {
    this.server.removeResource(uri);
  }
}

/** Results by call. Bounded: the oldest makes room. A result past its time is not used, and goes when it is met. */
class ResultCache {
  readonly #results: Map<string, { readonly result: ToolResult; readonly timestamp: number }> = new Map();
  readonly #ttlMs: number;
  readonly #maxResults: number;
  #hits = 0;

  constructor(ttlMs: number, maxResults: number) {
    this.#ttlMs = ttlMs;
    this.#maxResults = maxResults;
  }

  get(key: string): ToolResult | undefined {
    this.#cleanupCache();
    const cached = this.#results.get(key)?.result;
    if (cached) this.#hits += 1;
    return cached;
  }

  set(key: string, result: ToolResult): void {
    this.#cleanupCache();
    const [oldest] = this.#results.keys();
    if (oldest !== undefined && this.#results.size >= this.#maxResults) this.#results.delete(oldest);
    this.#results.set(key, { result, timestamp: Date.now() });
  }

  statistics(): { readonly results: number; readonly hits: number } {
    return { results: this.#results.size, hits: this.#hits };
  }

  /** Results stand in the order of their time. */
  #cleanupCache(): void {
    const now = Date.now();
    for (const [key, { timestamp }] of this.#results) {
      if (now - timestamp <= this.#ttlMs) return;
      this.#results.delete(key);
    }
  }
}

function settingsOf(env: NodeJS.ProcessEnv): AdvancedSettings {
  return {
    logLevel: env.LOG_LEVEL ?? 'info',
    caching: (env.ENABLE_CACHING ?? 'true') === 'true',
    cacheTTLMs: Number(env.CACHE_TTL ?? 600) * 1_000,
    cacheSize: Number(env.CACHE_SIZE ?? 1_000),
  };
}

// Started by node, not when imported.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runStdio(() => new AdvancedMCPServer().server);
