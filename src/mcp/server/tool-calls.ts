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
import { isThenable, settle, whenReady } from '../tools/when-ready.js';
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

/** One run of a function of the host. */
interface Running {
  readonly subject: string;
  readonly timeoutMs: number;
  readonly incoming: Incoming;
  readonly correlationId: string;
}

/** How a run goes on. */
interface Ending<T> {
  readonly done: (value: T) => Awaitable<T>;
  /** @param late True when the time was over. */
  readonly failed: (error: unknown, late: boolean) => Awaitable<T>;
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

  /** Gives an answer also when the tool fails, at once if it has it; fails only when the call was cancelled. */
  call(tool: Tool, args: ToolCall['arguments'], incoming: Incoming): Awaitable<ToolResult | InputRequired> {
    const { request } = incoming;
    const { observer, callTimeoutMs } = this.#options;
    const told = correlationOf(request.mcpReq._meta);
    const correlationId = told ?? randomUUID();
    const call: ToolCall = { tool, arguments: args, principal: principalOf(request), correlationId };
    const began = performance.now();
    const ended = (outcome: CallOutcome): void => observer.ended(call, outcome, performance.now() - began);
    const about: Running = {
      subject: `Tool '${tool.name}'`,
      timeoutMs: tool.timeoutMs ?? incoming.task?.ttlMs ?? callTimeoutMs,
      incoming,
      correlationId,
    };
    return this.#inScope<ToolResult | InputRequired>(about, (scope) => this.#answer(call, incoming, scope), {
      done: (answer) => {
        if ('resultType' in answer) {
          ended('asked');
          return answer;
        }
        ended(answer.isError ? 'failed' : 'answered');
        return told === undefined ? answer : { ...answer, _meta: { ...answer._meta, [correlationKey]: told } };
      },
      failed: (error, late) => {
        ended(late ? 'failed' : 'cancelled');
        if (late) return failedResult(tooLate(about));
        throw error;
      },
    });
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
    const { sdk, callTimeoutMs: timeoutMs, maxResultBytes } = this.#options;
    const correlationId = correlationOf(request.mcpReq._meta) ?? randomUUID();
    const about: Running = { subject, timeoutMs, incoming, correlationId };
    const run = async (scope: CallScope): Promise<T | InputRequired> => {
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
    };
    return this.#inScope(about, run, {
      done: (answer) => answer,
      failed: (error, late) => {
        throw late ? new sdk.ProtocolError(internalError, tooLate(about)) : error;
      },
    });
  }

  #answer(call: ToolCall, incoming: Incoming, scope: CallScope): Awaitable<ToolResult | InputRequired> {
    const { request } = incoming;
    const { tool, correlationId } = call;
    const identity = (): CallIdentity => ({ method: 'tools/call', name: tool.name, arguments: call.arguments });
    return whenReady(this.#answers(request, identity), (answers) => {
      const context = new CallContext(incoming, correlationId, scope, answers);
      return settle<ToolResult, ToolResult | InputRequired>(
        () => this.#run(call, context, request),
        (answer) => this.#asked(context, request, identity) ?? answer,
        (error) => {
          const asked = this.#asked(context, request, identity);
          if (asked) return asked;
          if (request.mcpReq.signal.aborted) throw error;
          this.#refuseMissing(error, request);
          return failedResult(this.#tell(`Tool '${tool.name}'`, correlationId, error));
        },
      );
    });
  }

  /** The tool with the host's layers and the span around it. */
  #run(call: ToolCall, context: CallContext, request: RequestContext): Awaitable<ToolResult> {
    const { observer, use, maxResultBytes } = this.#options;
    assertScopes(call, request);
    const run = ({ tool, arguments: args }: ToolCall): Awaitable<ToolResult> =>
      executeTool(tool, args, context, maxResultBytes);
    const layered = use.length === 0 ? run : compose(use, async (changed: ToolCall) => run(changed));
    const answer = observer.tracing
      ? observer.span(call, request, () => untilAsked(context, layered, call))
      : layered(call);
    return use.length === 0 ? answer : whenReady(answer, (made) => checked(call.tool, made, maxResultBytes));
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

  #inScope<T>(about: Running, work: (scope: CallScope) => Awaitable<T>, end: Ending<T>): Awaitable<T> {
    const { subject, timeoutMs, incoming, correlationId } = about;
    const { signal } = incoming.request.mcpReq;
    const scope = this.#options.lifecycle.enter(subject, { signal, timeoutMs });
    return settle(
      () => {
        scope.throwIfCancelled();
        const working = enterScope(scope, correlationId, () => work(scope));
        return isThenable(working) ? scope.wait(working) : working;
      },
      (value) => {
        scope[Symbol.dispose]();
        return end.done(value);
      },
      (error) => {
        scope[Symbol.dispose]();
        // This call's own time, not that of something below it.
        return end.failed(error, error instanceof TimeoutError && scope.reason === error);
      },
    );
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

function tooLate({ subject, timeoutMs }: Running): string {
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
