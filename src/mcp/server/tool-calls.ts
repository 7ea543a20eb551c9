import { randomUUID } from 'node:crypto';
import {
  type Awaitable,
  compose,
  currentContext,
  type Lifecycle,
  type Middleware,
  SaflaError,
  spanKind,
  type Telemetry,
  TimeoutError,
  withContext,
} from '../../core/index.js';
import { enterScope } from '../../core/internal.js';
import { correlationKey, correlationOf } from '../correlation.js';
import type { RequestContext } from '../sdk/server-sdk.js';
import { runTool } from '../tools/run-tool.js';
import type { Principal, Tool, ToolResult } from '../tools/tool.js';
import { ToolError } from '../tools/tool-error.js';
import { assertSendable, failedResult } from '../tools/tool-result.js';
import { CallContext, principalOf } from './tool-context.js';

/** A tool call as middleware sees it. Arguments are as they came, before they are checked. */
export interface ToolCall {
  readonly tool: Tool;
  readonly arguments: Readonly<Record<string, unknown>> | undefined;
  readonly principal: Principal | undefined;
  readonly correlationId: string;
}

/** What {@link ToolCalls} stands on. */
export interface ToolCallsOptions {
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
  readonly use: readonly Middleware<ToolCall, ToolResult>[];
  readonly maxResultBytes: number;
}

/**
 * Runs tool calls: scopes, middleware, `withContext`, the span, and the one place that decides what
 * a client may read of a failure.
 */
export class ToolCalls {
  readonly #options: ToolCallsOptions;

  constructor(options: ToolCallsOptions) {
    this.#options = options;
  }

  /** Resolves to an answer also when the tool fails; rejects only when the call was cancelled. */
  async call(tool: Tool, args: ToolCall['arguments'], request: RequestContext): Promise<ToolResult> {
    return this.#inContext(`tool '${tool.name}'`, request, async (correlationId) => {
      const call: ToolCall = { tool, arguments: args, principal: principalOf(request), correlationId };
      const answer = await this.#answer(call, request);
      return { ...answer, _meta: { ...answer._meta, [correlationKey]: correlationId } };
    });
  }

  /**
   * Runs what else a host's own function answers: the content of a resource, the text of a prompt.
   *
   * @param fail Makes the error that the client gets out of the text it may read.
   */
  async read<T>(
    subject: string,
    request: RequestContext,
    work: () => Awaitable<T>,
    fail: (text: string) => Error,
  ): Promise<T> {
    return this.#inContext(subject, request, async (correlationId) => {
      try {
        const answer = await work();
        assertSendable(subject, answer, this.#options.maxResultBytes);
        return answer;
      } catch (error) {
        if (request.mcpReq.signal.aborted) throw error;
        throw fail(this.#tell(subject, correlationId, error));
      }
    });
  }

  #inContext<T>(subject: string, request: RequestContext, work: (correlationId: string) => Promise<T>): Promise<T> {
    const correlationId = correlationOf(request.mcpReq._meta) ?? randomUUID();
    return this.#options.lifecycle.call(subject, { signal: request.mcpReq.signal }, (scope) =>
      enterScope(scope, correlationId, () => work(correlationId)),
    );
  }

  async #answer(call: ToolCall, request: RequestContext): Promise<ToolResult> {
    const { telemetry, use } = this.#options;
    const { name } = call.tool;
    const attributes = { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': name };
    try {
      assertScopes(call, request);
      const run = compose(use, (changed) => this.#run(changed, request));
      return await telemetry.span({ name: `tools/call ${name}`, kind: spanKind.server, attributes }, async () => {
        const answer = await run(call);
        assertSendable(`Tool '${name}'`, answer, this.#options.maxResultBytes);
        return answer;
      });
    } catch (error) {
      if (request.mcpReq.signal.aborted) throw error;
      return failedResult(this.#tell(`Tool '${name}'`, call.correlationId, error));
    }
  }

  async #run({ tool, arguments: args, correlationId }: ToolCall, request: RequestContext): Promise<ToolResult> {
    const run = (): Promise<ToolResult> =>
      runTool(tool, args, new CallContext(request, correlationId), this.#options.maxResultBytes);
    return tool.timeoutMs === undefined ? run() : inTime(tool, tool.timeoutMs, run);
  }

  /** What a client may read of a failure: a `ToolError`'s text, else where to look it up. */
  #tell(subject: string, correlationId: string, error: unknown): string {
    const { logger } = this.#options.telemetry;
    const readable = SaflaError.is(error) && error.code === 'TOOL_FAILED';
    logger[readable ? 'info' : 'error']({ error }, `${subject} failed`);
    return readable ? error.message : `${subject} failed. Reference: ${correlationId}`;
  }
}

/** Tells the tool's own limit. A time-out of something below it is that thing's affair, and is not told. */
async function inTime<T>(tool: Tool, timeoutMs: number, run: () => Promise<T>): Promise<T> {
  let here: ReturnType<typeof currentContext> | undefined;
  try {
    return await withContext({ timeoutMs }, () => {
      here = currentContext();
      return run();
    });
  } catch (error) {
    const isOwn = error instanceof TimeoutError && error.timeoutMs === timeoutMs && here?.signal?.reason === error;
    if (!isOwn) throw error;
    const message = `Tool '${tool.name}' did not finish within ${timeoutMs} ms`;
    throw new ToolError(message, { retryable: true, cause: error });
  }
}

function assertScopes({ tool, principal }: ToolCall, request: RequestContext): void {
  if (!request.http || !tool.scopes) return;
  const missing = tool.scopes.filter((scope) => !principal?.scopes?.includes(scope));
  if (missing.length > 0)
    throw new ToolError(`Tool '${tool.name}' needs the scope ${missing.map((scope) => `'${scope}'`).join(', ')}`);
}
