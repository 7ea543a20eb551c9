import {
  type Awaitable,
  ConfigurationError,
  type HealthCheck,
  type Middleware,
  type TelemetryOptions,
} from '../../core/index.js';
import { checkOptions, is, type OptionCheck } from '../../core/internal.js';
import type { MCPAnswers } from '../host/mcp-answers.js';
import type { Principal, Tool, ToolResult } from '../tools/tool.js';
import { type Authorizer, authorizer, type TokenVerifier } from './authorize.js';
import { type CacheHint, cacheHint } from './cache-hint.js';
import type { ToolCallRecord } from './call-observer.js';
import { type CallerLimiter, type CallerQuota, callerLimit } from './caller-limits.js';
import { eventStore } from './event-store.js';
import type { SessionOptions } from './http-sessions.js';
import { promptList, resourceList, templateList, toolList } from './offered.js';
import type { Prompt } from './prompt.js';
import type { Resource } from './resource.js';
import type { ResourceTemplate } from './resource-template.js';
import type { ToolCall } from './tool-calls.js';
import { type MCPTaskOptions, taskOptions } from './tool-tasks.js';

/** What an {@link MCPServer} is made of. */
export interface MCPServerOptions {
  /** How the server calls itself to clients. */
  readonly name: string;
  readonly version: string;
  /** Tells models how to use the server as a whole. */
  readonly instructions?: string;
  /** Tools, and arrays of tools as `apiTools` and its like give them. */
  readonly tools?: readonly (Tool | readonly Tool[])[];
  readonly resources?: readonly Resource[];
  readonly resourceTemplates?: readonly ResourceTemplate[];
  readonly prompts?: readonly Prompt[];
  /**
   * How many tools, resources, templates or prompts one answer of a list holds. Clients ask for the rest
   * with the cursor of the answer before; some never do, so a list that is cut hides its end from them.
   *
   * @default all of them
   */
  readonly pageSize?: number;
  /** Layers around tool calls, the first outermost. What a layer throws is told like a tool's own error. */
  readonly use?: readonly Middleware<ToolCall, ToolResult>[];
  /** Host names, beside the loopback ones, that HTTP requests may be addressed to. `*` for any. @default none */
  readonly allowedHosts?: readonly string[];
  /** Host names of web pages, beside the allowed hosts, that may call over HTTP. `*` for any. @default none */
  readonly allowedOrigins?: readonly string[];
  /** Largest HTTP request body; a larger one is answered 413. @default 4194304 */
  readonly maxRequestBytes?: number;
  /**
   * Largest answer of a tool, a resource or a prompt, in bytes of JSON as it is sent: a tool's value
   * counts twice, as text and as `structuredContent`. Clients read at most 10 MB per message.
   *
   * @default 8388608
   */
  readonly maxResultBytes?: number;
  /**
   * Longest time for one call, prompt or resource that has no limit of its own, in milliseconds. It
   * includes what users take to answer questions on connections before 2026-07-28.
   *
   * @default 300000
   */
  readonly callTimeoutMs?: number;
  /**
   * Says who sends an HTTP request: a `TokenService` (or anything that verifies bearer tokens), or a
   * function. Every request is asked about, also those of a session. Without it everybody may call,
   * as nobody in particular, unless `fetch` is told who it is.
   *
   * @default nobody is asked
   */
  readonly authorize?: Authorizer | TokenVerifier;
  /** Where clients learn how to log in (RFC 9728), named in answers of 401. @default none */
  readonly resourceMetadataURL?: string;
  /**
   * How much each caller may send over HTTP; beyond it requests are answered 429. Callers nobody has
   * verified share one quota. A `MemoryLimiter` or `RedisLimiter` fits; `false` for no limit.
   *
   * @default 1200 a minute
   */
  readonly limiter?: CallerLimiter | CallerQuota | false;
  /**
   * Sessions of HTTP clients before 2026-07-28. They live in this process: with several, such clients
   * must come back to the same one. `false` serves them without: no questions, no cancelling, no news.
   */
  readonly sessions?: SessionOptions | false;
  /**
   * Signs what clients carry between the rounds of a call that asks questions: 32 bytes or more, the
   * same for all processes behind one address.
   *
   * @default random for each server
   */
  readonly stateKey?: string | Uint8Array;
  /** How tasks of tools made by `asTask` are kept. */
  readonly tasks?: MCPTaskOptions;
  /** How long clients of 2026-07-28 may keep lists of tools, resources and prompts. @default not at all */
  readonly cacheHint?: CacheHint;
  /** Gets a record of each tool call when it ended. A failure of it is logged and fails no call. */
  readonly audit?: (record: ToolCallRecord) => Awaitable<unknown>;
  /** What the server stands on, for `health()` and `/health`. */
  readonly health?: readonly HealthCheck[];
  readonly telemetry?: TelemetryOptions;
}

/** What a request brought in by `fetch` is known to be. */
export interface FetchOptions {
  /** Who calls, when you have verified it; `authorize` is then not asked. Tools with `scopes` need it. */
  readonly principal?: Principal;
}

/** How a client without a wire stands to its server. */
export interface InMemoryOptions {
  /** Answers what tools ask of the user and the model. @default none: tools are told that nobody can be asked */
  readonly answers?: MCPAnswers;
}

const fourMiB = 4 * 1024 * 1024;

/** The values where an option is not given. */
export const serverDefaults: Readonly<
  Required<Pick<MCPServerOptions, 'maxRequestBytes' | 'maxResultBytes' | 'callTimeoutMs'>>
> & { readonly limiter: CallerQuota } = {
  maxRequestBytes: fourMiB,
  maxResultBytes: 2 * fourMiB,
  callTimeoutMs: 300_000,
  limiter: { limit: 1_200, intervalMs: 60_000 },
};

const stateKey: OptionCheck = (value, field) => {
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : ArrayBuffer.isView(value) ? value.byteLength : 0;
  if (bytes < 32) throw new ConfigurationError(`${field} must be a text or bytes, 32 bytes or more`, { field });
};

/** @throws ConfigurationError */
export function checkServerOptions(options: MCPServerOptions): void {
  checkOptions<MCPServerOptions>('MCPServer', options, {
    name: is.required(is.text),
    version: is.required(is.text),
    instructions: is.text,
    tools: toolList,
    resources: resourceList,
    resourceTemplates: templateList,
    prompts: promptList,
    pageSize: is.count,
    use: is.list,
    allowedHosts: is.list,
    allowedOrigins: is.list,
    maxRequestBytes: is.count,
    maxResultBytes: is.count,
    callTimeoutMs: is.milliseconds,
    authorize: authorizer,
    resourceMetadataURL: is.url('http:', 'https:'),
    limiter: callerLimit,
    sessions: is.either(
      'false or an object of settings',
      is.oneOf(false),
      is.options<SessionOptions>({ maxSessions: is.count, idleMs: is.milliseconds, events: eventStore }),
    ),
    stateKey,
    tasks: taskOptions,
    cacheHint,
    audit: is.function,
    health: is.list,
    telemetry: is.object,
  });
}
