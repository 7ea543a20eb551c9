import { randomUUID } from 'node:crypto';
import {
  type Awaitable,
  compose,
  type Lifecycle,
  type Middleware,
  SaflaError,
  type Telemetry,
  TimeoutError,
} from '../../core/index.js';
import { enterScope } from '../../core/internal.js';
import { correlationKey, correlationOf } from '../correlation.js';
import type { Connection, RequestContext, ServerSDK } from '../sdk/server-sdk.js';
import { runTool } from '../tools/run-tool.js';
import type { Principal, Tool, ToolContext, ToolResult } from '../tools/tool.js';
import { ToolError } from '../tools/tool-error.js';
import { assertSendable, failedResult } from '../tools/tool-result.js';
import { assertWellFormed } from './assert-well-formed.js';
import { CallContext, isModern, principalOf } from './call-context.js';
import type { CallObserver, CallOutcome } from './call-observer.js';
import type { CallIdentity, CallState, InputRequired } from './call-state.js';
import { MissingCapabilityError } from './missing-capability-error.js';
import { AwaitingReply } from './pending-questions.js';
import type { ConnectionSettings } from './served.js';

/** A tool call as middleware sees it. Arguments are as they came, before they are checked. */
export interface ToolCall {
  readonly tool: Tool;
  readonly arguments: Readonly<Record<string, unknown>> | undefined;
  readonly principal: Principal | undefined;
  readonly correlationId: string;
}

/** What {@link ToolCalls} stands on. */
export interface ToolCallsOptions {
  readonly sdk: ServerSDK;
  readonly state: CallState;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
  readonly observer: CallObserver;
  readonly use: readonly Middleware<ToolCall, ToolResult>[];
  readonly maxResultBytes: number;
  /** For what has no time limit of its own, in milliseconds. */
  readonly callTimeoutMs: number;
}

/** One request, and the connection it came by. */
export interface Incoming {
  readonly request: RequestContext;
  readonly connection: Connection;
  readonly settings: ConnectionSettings;
}

/**
 * Runs what the host's functions answer: scopes, middleware, context, time, questions, and the one
 * place that decides what a client may read of a failure.
 */
export class ToolCalls {
  readonly #options: ToolCallsOptions;

  constructor(options: ToolCallsOptions) {
    this.#options = options;
  }

  /** Resolves to an answer also when the tool fails; rejects only when the call was cancelled. */
  async call(tool: Tool, args: ToolCall['arguments'], incoming: Incoming): Promise<ToolResult | InputRequired> {
    const { request } = incoming;
    const { observer, callTimeoutMs } = this.#options;
    const correlationId = correlationOf(request.mcpReq._meta) ?? randomUUID();
    const call: ToolCall = { tool, arguments: args, principal: principalOf(request), correlationId };
    const began = performance.now();
    let outcome: CallOutcome = 'cancelled';
    try {
      const subject = `Tool '${tool.name}'`;
      const timeoutMs = tool.timeoutMs ?? callTimeoutMs;
      const answer = await this.#inScope(subject, timeoutMs, incoming, correlationId, () =>
        this.#answer(call, incoming),
      );
      outcome = 'resultType' in answer ? 'asked' : answer.isError ? 'failed' : 'answered';
      if ('resultType' in answer) return answer;
      return { ...answer, _meta: { ...answer._meta, [correlationKey]: correlationId } };
    } catch (error) {
      if (!(error instanceof TimedOut)) throw error;
      outcome = 'failed';
      return { ...failedResult(error.message), _meta: { [correlationKey]: correlationId } };
    } finally {
      observer.ended(call, outcome, performance.now() - began);
    }
  }

  /**
   * Runs what else a host's own function answers: the content of a resource, the text of a prompt.
   * Rejects with a protocol error whose text the client may read.
   */
  async read<T>(
    subject: string,
    incoming: Incoming,
    identity: CallIdentity,
    work: (context: ToolContext) => Awaitable<T>,
  ): Promise<T | InputRequired> {
    const { request } = incoming;
    const { sdk, callTimeoutMs, maxResultBytes } = this.#options;
    const correlationId = correlationOf(request.mcpReq._meta) ?? randomUUID();
    return this.#inScope(subject, callTimeoutMs, incoming, correlationId, async () => {
      const context = await this.#context(incoming, correlationId, () => identity);
      try {
        const answer = await work(context);
        const asked = this.#asked(context, incoming, identity);
        if (asked) return asked;
        assertSendable(subject, answer, maxResultBytes);
        return answer;
      } catch (error) {
        const asked = this.#asked(context, incoming, identity);
        if (asked) return asked;
        if (request.mcpReq.signal.aborted || error instanceof sdk.ProtocolError) throw error;
        this.#refuseMissing(error, request);
        throw new sdk.ProtocolError(internalError, this.#tell(subject, correlationId, error));
      }
    });
  }

  async #answer(call: ToolCall, incoming: Incoming): Promise<ToolResult | InputRequired> {
    const { request } = incoming;
    const { observer, use, maxResultBytes } = this.#options;
    const { tool, correlationId } = call;
    const subject = `Tool '${tool.name}'`;
    const identity = (): CallIdentity => ({ method: 'tools/call', name: tool.name, arguments: call.arguments });
    const context = await this.#context(incoming, correlationId, identity);
    try {
      assertScopes(call, request);
      const run = ({ tool: chosen, arguments: args }: ToolCall): Promise<ToolResult> =>
        runTool(chosen, args, context, maxResultBytes);
      const layered = use.length === 0 ? run : compose(use, run);
      const answer = await observer.span(call, request, async () => {
        try {
          const given = await layered(call);
          assertWellFormed(given);
          assertSendable(subject, given, maxResultBytes);
          return given;
        } catch (error) {
          // Told as a question below; the span should not show a failure.
          if (error instanceof AwaitingReply && context.waiting) return failedResult('');
          throw error;
        }
      });
      return (await this.#asked(context, incoming, identity())) ?? answer;
    } catch (error) {
      const asked = this.#asked(context, incoming, identity());
      if (asked) return asked;
      if (request.mcpReq.signal.aborted) throw error;
      this.#refuseMissing(error, request);
      return failedResult(this.#tell(subject, correlationId, error));
    }
  }

  /** Whether or not the handler lets the question's end of its run through, the question goes out. */
  #asked(context: CallContext, { request }: Incoming, identity: CallIdentity): Promise<InputRequired> | undefined {
    const { waiting } = context;
    return waiting && this.#options.state.inputRequired(request, identity, waiting.open, waiting.answers);
  }

  async #context(incoming: Incoming, correlationId: string, identity: () => CallIdentity): Promise<CallContext> {
    const { request } = incoming;
    const answers = isModern(request) ? await this.#options.state.answers(request, identity) : {};
    return new CallContext(incoming, correlationId, answers);
  }

  #refuseMissing(error: unknown, request: RequestContext): void {
    if (!(error instanceof MissingCapabilityError) || !isModern(request)) return;
    const { MissingRequiredClientCapabilityError } = this.#options.sdk;
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: error.required }, error.message);
  }

  /** @throws TimedOut when this call's own time is over, and not that of something below it */
  async #inScope<T>(
    subject: string,
    timeoutMs: number,
    { request }: Incoming,
    correlationId: string,
    work: () => Promise<T>,
  ): Promise<T> {
    let isOwn: (error: unknown) => boolean = () => false;
    try {
      return await this.#options.lifecycle.call(subject, { signal: request.mcpReq.signal, timeoutMs }, (scope) => {
        isOwn = (error) => error instanceof TimeoutError && scope.reason === error;
        return enterScope(scope, correlationId, work);
      });
    } catch (error) {
      if (isOwn(error)) throw new TimedOut(subject, timeoutMs);
      throw error;
    }
  }

  /** What a client may read of a failure: a `ToolError`'s text, else where to look it up. */
  #tell(subject: string, correlationId: string, error: unknown): string {
    const { logger } = this.#options.telemetry;
    const readable = error instanceof MissingCapabilityError || (SaflaError.is(error) && error.code === 'TOOL_FAILED');
    logger[readable ? 'info' : 'error']({ error }, `${subject} failed`);
    return readable ? error.message : `${subject} failed. Reference: ${correlationId}`;
  }
}

/** JSON-RPC's code for failures of the server. */
const internalError = -32603;

class TimedOut extends Error {
  readonly code: number = internalError;

  constructor(subject: string, timeoutMs: number) {
    super(`${subject} did not finish within ${timeoutMs} ms`);
  }
}

function assertScopes({ tool, principal }: ToolCall, request: RequestContext): void {
  if (!request.http || !tool.scopes) return;
  const missing = tool.scopes.filter((scope) => !principal?.scopes?.includes(scope));
  if (missing.length > 0)
    throw new ToolError(`Tool '${tool.name}' needs the scope ${missing.map((scope) => `'${scope}'`).join(', ')}`);
}
