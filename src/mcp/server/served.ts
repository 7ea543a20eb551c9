import type { DirectConnection } from '../sdk/connection-class.js';
import type { Era, ServerSDK } from '../sdk/server-sdk.js';
import type { LogLevel } from '../tools/tool.js';
import type { CacheHint } from './cache-hint.js';
import type { Registry } from './registry.js';
import type { ToolCalls } from './tool-calls.js';
import type { ToolTasks } from './tool-tasks.js';

/** Who the server is, as clients see it. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string;
  readonly instructions?: string | undefined;
}

/** What a connection answers from. `registry` is asked once per request. */
export interface HandlerSources {
  readonly sdk: ServerSDK;
  readonly identity: ServerIdentity;
  readonly cacheHint?: CacheHint | undefined;
  readonly registry: () => Registry;
  /** How many things one answer of a list holds. */
  readonly pageSize: number;
  readonly calls: ToolCalls;
  readonly tasks: ToolTasks;
  readonly onerror: (error: Error) => void;
}

/** What a client before 2026-07-28 has set for its connection; later ones say it with each request. */
export interface ConnectionSettings {
  /** URIs of resources it wants to hear of. */
  subscriptions?: Set<string>;
  logLevel?: LogLevel;
}

/** One client's connection, or one HTTP request. */
export interface Served {
  readonly connection: DirectConnection;
  readonly era: Era;
  readonly settings: ConnectionSettings;
}
