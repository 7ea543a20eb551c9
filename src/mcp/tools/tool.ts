import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Awaitable } from '../../core/index.js';
import type { ContentBlock } from './content-block.js';
import type { Conversation } from './conversation.js';
import type { ToolSchema } from './tool-schema.js';

export type { ContentBlock, ResourceContents } from './content-block.js';
export type { ToolSchema } from './tool-schema.js';

/** Severity of a log message to the client, as in RFC 5424. */
export type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';

/** A tool's answer as MCP defines it (`CallToolResult`). */
export interface ToolResult {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  /** The call failed; `content` says why. */
  readonly isError?: boolean;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** Hints for hosts; never a protection. Each is as in the MCP specification (`ToolAnnotations`). */
export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/** Who calls, as `fetch(request, { principal })` said. */
export interface Principal {
  readonly id: string;
  readonly scopes?: readonly string[];
}

/** What a handler gets beside its arguments. */
export interface ToolContext extends Conversation {
  /**
   * Aborts when the client cancels, the time is over or the server closes. Everything of this SDK
   * that the handler awaits is cancelled without it; pass it to other libraries. Made on first read.
   */
  readonly signal: AbortSignal;
  readonly correlationId: string;
  /** Undefined over stdio and in memory, where the caller is the process's owner. */
  readonly principal: Principal | undefined;
  /**
   * Tells how far the work is. Does nothing when the client did not ask for progress or the value
   * did not grow. Never rejects.
   *
   * @param done Grows with each call; of `total` when that is given.
   */
  progress(done: number, total?: number, message?: string): Promise<void>;
  /** Sends a log message to the client, if it wants messages of this level. Secrets are masked. Never rejects. */
  log(level: LogLevel, data: unknown): Promise<void>;
  /**
   * Gives the client its handle now, for a tool made by `asTask` that starts `when told`; the handler
   * runs on. Questions asked before go out as the answer of the call, later ones through the task.
   *
   * @returns whether the call outlives its request; false, and without effect, where it is no task
   */
  background(): boolean;
}

/** What a tool is, without its handler. */
export interface ToolDefinition<Input extends ToolSchema, Output extends ToolSchema | undefined> {
  /** 1 to 128 letters, digits, `_`, `-` or `.`; unique within a server. */
  readonly name: string;
  /** For people; `name` when absent. */
  readonly title?: string;
  /** What the tool does and when to use it: the model chooses by this text. */
  readonly description: string;
  /** An object's schema. @default any object */
  readonly input?: Input;
  /** Makes the answer's structure known to clients; the answer is checked against it. */
  readonly output?: Output;
  readonly annotations?: ToolAnnotations;
  /** Scopes a caller over HTTP needs, all of them. Over stdio and in memory they do not apply. @default none */
  readonly scopes?: readonly string[];
  /** Longest time for one call, in milliseconds. @default no limit of its own */
  readonly timeoutMs?: number;
}

/** What a handler may return: any JSON value, a text, or a finished {@link ToolResult}. */
export type ToolReturn<Output extends ToolSchema | undefined> = Output extends ToolSchema
  ? StandardSchemaV1.InferInput<Output> | ToolResult
  : unknown;

/** A handler as {@link defineTool} takes it. */
export type ToolHandler<Input extends ToolSchema, Output extends ToolSchema | undefined> = (
  args: StandardSchemaV1.InferOutput<Input>,
  context: ToolContext,
) => Awaitable<ToolReturn<Output>>;

/** Settings of `asTask`. */
export interface AsTaskOptions {
  /**
   * The tool is not run for clients that know no tasks: they get the protocol's missing-capability
   * error. Otherwise such clients wait for the answer as for that of any tool.
   *
   * @default false
   */
  readonly required?: boolean;
  /**
   * When the client gets the handle. `when told`: once the handler calls `context.background()`; until
   * then the call is like any other, may ask questions, and may answer without becoming a task.
   *
   * @default 'at once'
   */
  readonly starts?: 'at once' | 'when told';
}

/** A tool, ready for `MCPServer`. Made by `defineTool`. */
export interface Tool extends ToolDefinition<ToolSchema, ToolSchema | undefined> {
  /** Takes arguments that `input` has accepted. */
  readonly handler: (args: unknown, context: ToolContext) => unknown;
  /** Set by `asTask`: its calls may outlive their request. */
  readonly task?: Required<AsTaskOptions>;
}
