/**
 * The custom server with resources that come and go, a cache of results, and structured logs.
 * Logs go to stderr, as one JSON object per line: stdout belongs to the protocol.
 *
 *   LOG_LEVEL=debug ENABLE_CACHING=true CACHE_TTL=600 node --import tsx examples/servers/advanced-mcp-server.ts
 */
import { pathToFileURL } from 'node:url';
import { cacheResults, type MCPServerOptions, type ResourceDefinition, runStdio } from '@safla/sdk/mcp';
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

/** How often a result was asked for, and how often it had to be made. */
interface CacheUse {
  calls: number;
  made: number;
}

export class AdvancedMCPServer extends CustomMCPServer {
  private readonly use: CacheUse;

  constructor(settings: AdvancedSettings = settingsOf(process.env)) {
    const use: CacheUse = { calls: 0, made: 0 };
    super(AdvancedMCPServer.setupAdvancedFeatures(settings, use));
    this.use = use;
  }

  private static setupAdvancedFeatures(settings: AdvancedSettings, use: CacheUse): Partial<MCPServerOptions> {
    const logger = AdvancedMCPServer.setupLogging(settings.logLevel);
    const errorHandling = AdvancedMCPServer.setupErrorHandling(logger);
    const caching = settings.caching ? AdvancedMCPServer.setupCaching(settings, use) : [];
    return { name: 'advanced-mcp-server', telemetry: { logger }, use: [errorHandling, ...caching] };
  }

  protected override setupResourceHandlers(): void {
    this.addResource('cache://statistics', {
      name: 'Cache statistics',
      description: 'How often a result was made, and how often one was used again',
      mimeType: 'application/json',
      content: () => JSON.stringify({ made: this.use.made, hits: this.use.calls - this.use.made }),
    });
  }

  /** Answers repeated calls of read-only tools from memory, and counts around it. */
  private static setupCaching({ cacheTTLMs, cacheSize }: AdvancedSettings, use: CacheUse): Layer[] {
    const count =
      (what: keyof CacheUse): Layer =>
      (_, next) => {
        use[what] += 1;
        return next();
      };
    return [count('calls'), cacheResults({ ttlMs: cacheTTLMs, maxEntries: cacheSize }), count('made')];
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
