import { randomUUID } from 'node:crypto';
import {
  type Awaitable,
  type CallScope,
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
import type { Principal, Tool, ToolContext, ToolResult } from '../tools/tool.js';
import { ToolError } from '../tools/tool-error.js';
import { assertSendable, failedResult } from '../tools/tool-result.js';
import { CallContext, isModern, principalOf } from './call-context.js';
import type { CallObserver, CallOutcome } from './call-observer.js';
import type { CallIdentity, CallState, InputRequired } from './call-state.js';
import { checked, executeTool } from './execute-tool.js';
import { MissingCapabilityError } from './missing-capability-error.js';
import type { ConnectionSettings } from './served.js';
import type { TaskRun } from './task-run.js';

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
  /** Set for a call that is, or may become, a task. */
  readonly task?: TaskRun;
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
  call(tool: Tool, args: ToolCall['arguments'], incoming: Incoming): Promise<ToolResult | InputRequired> {
    const { request } = incoming;
    const { observer, callTimeoutMs } = this.#options;
    const told = correlationOf(request.mcpReq._meta);
    const correlationId = told ?? randomUUID();
    const call: ToolCall = { tool, arguments: args, principal: principalOf(request), correlationId };
    const began = performance.now();
    const ended = (outcome: CallOutcome): void => observer.ended(call, outcome, performance.now() - began);
    const subject = `Tool '${tool.name}'`;
    const timeoutMs = tool.timeoutMs ?? incoming.task?.ttlMs ?? callTimeoutMs;
    const { running, timedOut } = this.#inScope(subject, timeoutMs, incoming, correlationId, (scope) =>
      this.#answer(call, incoming, scope),
    );
    return running.then(
      (answer) => {
        if ('resultType' in answer) {
          ended('asked');
          return answer;
        }
        ended(answer.isError ? 'failed' : 'answered');
        return told === undefined ? answer : { ...answer, _meta: { ...answer._meta, [correlationKey]: told } };
      },
      (error: unknown) => {
        ended(timedOut(error) ? 'failed' : 'cancelled');
        if (timedOut(error)) return failedResult(tooLate(subject, timeoutMs));
        throw error;
      },
    );
  }

  /**
   * Runs what else a host's own function answers: the content of a resource, the text of a prompt.
   * Rejects with a protocol error whose text the client may read.
   */
  read<T>(
    subject: string,
    incoming: Incoming,
    identity: CallIdentity,
    work: (context: ToolContext) => Awaitable<T>,
  ): Promise<T | InputRequired> {
    const { request } = incoming;
    const { sdk, callTimeoutMs, maxResultBytes } = this.#options;
    const correlationId = correlationOf(request.mcpReq._meta) ?? randomUUID();
    const { running, timedOut } = this.#inScope(subject, callTimeoutMs, incoming, correlationId, async (scope) => {
      const answers = await this.#answers(request, () => identity);
      const context = new CallContext(incoming, correlationId, scope, answers);
      try {
        const answer = await work(context);
        const asked = this.#asked(context, request, () => identity);
        if (asked) return await asked;
        assertSendable(subject, answer, maxResultBytes);
        return answer;
      } catch (error) {
        const asked = this.#asked(context, request, () => identity);
        if (asked) return await asked;
        if (request.mcpReq.signal.aborted || error instanceof sdk.ProtocolError) throw error;
        this.#refuseMissing(error, request);
        throw new sdk.ProtocolError(internalError, this.#tell(subject, correlationId, error));
      }
    });
    return running.catch((error: unknown) => {
      throw timedOut(error) ? new sdk.ProtocolError(internalError, tooLate(subject, callTimeoutMs)) : error;
    });
  }

  async #answer(call: ToolCall, incoming: Incoming, scope: CallScope): Promise<ToolResult | InputRequired> {
    const { request } = incoming;
    const { tool, correlationId } = call;
    const { observer, use, maxResultBytes } = this.#options;
    const identity = (): CallIdentity => ({ method: 'tools/call', name: tool.name, arguments: call.arguments });
    const answers = this.#answers(request, identity);
    const context = new CallContext(
      incoming,
      correlationId,
      scope,
      answers instanceof Promise ? await answers : answers,
    );
    try {
      assertScopes(call, request);
      const run = ({ tool: chosen, arguments: args }: ToolCall): Awaitable<ToolResult> =>
        executeTool(chosen, args, context, maxResultBytes);
      const layered = use.length === 0 ? run : compose(use, async (changed: ToolCall) => run(changed));
      const answering = observer.tracing
        ? observer.span(call, request, () => untilAsked(context, layered, call))
        : layered(call);
      const answer = answering instanceof Promise ? await answering : answering;
      const asked = this.#asked(context, request, identity);
      if (asked) return await asked;
      return use.length === 0 ? answer : checked(tool, answer, maxResultBytes);
    } catch (error) {
      const asked = this.#asked(context, request, identity);
      if (asked) return await asked;
      if (request.mcpReq.signal.aborted) throw error;
      this.#refuseMissing(error, request);
      return failedResult(this.#tell(`Tool '${tool.name}'`, correlationId, error));
    }
  }

  /** Whether or not the handler lets the question's end of its run through, the question goes out. */
  #asked(
    context: CallContext,
    request: RequestContext,
    identity: () => CallIdentity,
  ): Promise<InputRequired> | undefined {
    const { waiting } = context;
    return waiting && this.#options.state.inputRequired(request, identity(), waiting.open, waiting.answers);
  }

  /** What the client answered so far; at once for the many calls that bring nothing. */
  #answers(request: RequestContext, identity: () => CallIdentity): Awaitable<Readonly<Record<string, unknown>>> {
    const { inputResponses } = request.mcpReq;
    const state = request.mcpReq.requestState();
    return state === undefined ? (inputResponses ?? noAnswers) : this.#options.state.answers(request, state, identity);
  }

  #refuseMissing(error: unknown, request: RequestContext): void {
    if (!(error instanceof MissingCapabilityError) || !isModern(request)) return;
    const { MissingRequiredClientCapabilityError } = this.#options.sdk;
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: error.required }, error.message);
  }

  #inScope<T>(
    subject: string,
    timeoutMs: number,
    { request }: Incoming,
    correlationId: string,
    work: (scope: CallScope) => Promise<T>,
  ): { readonly running: Promise<T>; readonly timedOut: (error: unknown) => boolean } {
    let own: CallScope | undefined;
    const running = this.#options.lifecycle.call(subject, { signal: request.mcpReq.signal, timeoutMs }, (scope) => {
      own = scope;
      return enterScope(scope, correlationId, () => work(scope));
    });
    // This call's own time, not that of something below it.
    return { running, timedOut: (error) => error instanceof TimeoutError && own?.reason === error };
  }

  /** What a client may read of a failure: a `ToolError`'s text, else where to look it up. */
  #tell(subject: string, correlationId: string, error: unknown): string {
    const { logger } = this.#options.telemetry;
    const readable = error instanceof MissingCapabilityError || (SaflaError.is(error) && error.code === 'TOOL_FAILED');
    logger[readable ? 'info' : 'error']({ error }, `${subject} failed`);
    return readable ? error.message : `${subject} failed. Reference: ${correlationId}`;
  }
}

const noAnswers: Readonly<Record<string, unknown>> = {};

/** JSON-RPC's code for failures of the server. */
const internalError = -32603;

function tooLate(subject: string, timeoutMs: number): string {
  return `${subject} did not finish within ${timeoutMs} ms`;
}

/** Keeps a span from showing a failure where the run ended with a question. */
async function untilAsked(
  context: CallContext,
  run: (call: ToolCall) => Awaitable<ToolResult>,
  call: ToolCall,
): Promise<ToolResult> {
  try {
    return await run(call);
  } catch (error) {
    if (context.waiting) return { content: [] };
    throw error;
  }
}

function assertScopes({ tool, principal }: ToolCall, request: RequestContext): void {
  if (!request.http || !tool.scopes) return;
  const missing = tool.scopes.filter((scope) => !principal?.scopes?.includes(scope));
  if (missing.length > 0)
    throw new ToolError(`Tool '${tool.name}' needs the scope ${missing.map((scope) => `'${scope}'`).join(', ')}`);
}
