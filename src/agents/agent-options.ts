import type { Clock, StandardSchemaV1, TelemetryOptions } from '../core/index.js';
import { ConfigurationError } from '../core/index.js';
import { checkOptions, is, type OptionCheck } from '../core/internal.js';
import { type RetryOptions, retryChecks } from '../resilience/retry.js';
import type { AgentCapability } from './agent-capabilities.js';
import type { AgentMemory } from './agent-memory.js';
import type { AgentTools } from './agent-tools.js';
import { schemaCheck } from './run-context.js';

/** Settings of an {@link Agent}. */
export interface AgentOptions<I = Record<string, unknown>, O = unknown> {
  /** What it can do; a pool looks here first. @default none */
  readonly capabilities?: readonly AgentCapability[];
  /**
   * Tasks that run at the same time. A task that waits for a person, for another agent, in `ctx.sleep` or
   * between attempts does not count.
   *
   * @default 1
   */
  readonly maxConcurrentTasks?: number;
  /** Of agents that can do a task, a pool asks the one with the highest. @default 0 */
  readonly priority?: number;
  /** Accepted tasks beyond `maxConcurrentTasks` that are not final; more are rejected with the code `QUEUE_FULL`. @default 1000 */
  readonly maxQueue?: number;
  /** What `parameters` must be, by any Standard Schema; a task that does not match is rejected before it is queued. @default not checked */
  readonly input?: StandardSchemaV1<unknown, I>;
  /** What `execute` must make; a task whose data does not match has failed. @default not checked */
  readonly output?: StandardSchemaV1<unknown, O>;
  /**
   * Longest time for one task from its start to its end, with all attempts and waits, in milliseconds. Then
   * it has failed with the code `TIMEOUT`, and its place is free whether or not `execute` heard of it.
   *
   * @default Infinity
   */
  readonly timeoutMs?: number;
  /**
   * Tries again when `execute` throws something retryable. Off by default: a task may have done something
   * before it failed.
   *
   * @default false
   */
  readonly retry?: RetryOptions | false;
  /** For `ctx.memory`. */
  readonly memory?: AgentMemory;
  /** For `ctx.tools`: an `MCPHost`, or functions by name. */
  readonly tools?: AgentTools;
  readonly telemetry?: TelemetryOptions;
  /** Drives timeouts. @default the machine's clock */
  readonly clock?: Clock;
}

const finite: OptionCheck = (value, field) => {
  if (!Number.isFinite(value))
    throw new ConfigurationError(`${field} must be a finite number, got ${value}`, { field });
};

const texts: OptionCheck = (value, field) => {
  is.list(value, field);
  for (const [index, item] of (value as unknown[]).entries()) is.text(item, `${field}[${index}]`);
};

const toolsCheck: OptionCheck = (value, field) => {
  is.object(value, field);
  const tools = value as Readonly<Record<string, unknown>>;
  if (typeof tools.callTool === 'function') return;
  for (const [name, tool] of Object.entries(tools)) {
    if (typeof tool === 'function') continue;
    const message = `${field}.${name} must be a function; ${field} are functions by name, or something with callTool`;
    throw new ConfigurationError(message, { field: `${field}.${name}` });
  }
};

/** @throws ConfigurationError */
export function checkAgentOptions<I, O>(id: string, options: AgentOptions<I, O>): void {
  is.text(id, 'Agent.id');
  checkOptions<AgentOptions<I, O>>('Agent', options, {
    capabilities: texts,
    maxConcurrentTasks: is.count,
    priority: finite,
    maxQueue: is.either('a whole number, 0 or more, or Infinity', is.count, is.countOrZero),
    input: schemaCheck,
    output: schemaCheck,
    timeoutMs: is.milliseconds,
    retry: is.either('an object or false', is.oneOf(false), is.options(retryChecks)),
    memory: is.object,
    tools: toolsCheck,
    telemetry: is.object,
    clock: is.object,
  });
}
