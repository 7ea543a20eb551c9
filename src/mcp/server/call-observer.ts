import { type Awaitable, spanKind, type Telemetry } from '../../core/index.js';
import type { RequestContext } from '../sdk/server-sdk.js';
import type { Principal, ToolResult } from '../tools/tool.js';
import type { ToolCall } from './tool-calls.js';

/** How a call ended. `asked`: it waits for an answer of the client and will come again. */
export type CallOutcome = 'answered' | 'failed' | 'asked' | 'cancelled';

/** What an audit gets to know of each tool call. */
export interface ToolCallRecord {
  /** When it began. */
  readonly time: Date;
  readonly tool: string;
  /** As they came: they may hold what should not be kept. */
  readonly arguments: Readonly<Record<string, unknown>> | undefined;
  readonly principal: Principal | undefined;
  readonly correlationId: string;
  readonly outcome: CallOutcome;
  readonly durationMs: number;
}

/** What a server did since it was made, by the names of tools. */
export interface ToolStats {
  readonly calls: number;
  readonly failed: number;
  readonly cancelled: number;
  /** All calls together, in milliseconds. */
  readonly totalMs: number;
}

/** The span of a call, its numbers, and its record. None of them can fail the call. */
export class CallObserver {
  readonly #telemetry: Telemetry;
  readonly #audit: ((record: ToolCallRecord) => Awaitable<unknown>) | undefined;
  readonly #stats: Map<string, { calls: number; failed: number; cancelled: number; totalMs: number }> = new Map();

  constructor(telemetry: Telemetry, audit?: (record: ToolCallRecord) => Awaitable<unknown>) {
    this.#telemetry = telemetry;
    this.#audit = audit;
  }

  /** Counted by tool; a tool that was removed keeps its numbers. */
  get stats(): Readonly<Record<string, ToolStats>> {
    return Object.fromEntries(Array.from(this.#stats, ([name, numbers]) => [name, { ...numbers }]));
  }

  /** False when a span would reach nobody. */
  get tracing(): boolean {
    return this.#telemetry.tracing;
  }

  /** OpenTelemetry semantic conventions for MCP: the caller's span, told in `_meta`, is the parent. */
  span({ tool }: ToolCall, { mcpReq }: RequestContext, work: () => Promise<ToolResult>): Promise<ToolResult> {
    const { traceparent, tracestate } = (mcpReq._meta ?? {}) as Readonly<Record<string, string | undefined>>;
    const attributes = {
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': tool.name,
      'gen_ai.operation.name': 'execute_tool',
      'jsonrpc.request.id': String(mcpReq.id),
    };
    return this.#telemetry.span(
      {
        name: `tools/call ${tool.name}`,
        kind: spanKind.server,
        attributes,
        ...(typeof traceparent === 'string' ? { remote: { traceparent, tracestate } } : {}),
      },
      async (span) => {
        const answer = await work();
        if (answer.isError) span?.setAttribute('error.type', 'tool_error');
        return answer;
      },
    );
  }

  ended(call: ToolCall, outcome: CallOutcome, durationMs: number): void {
    const name = call.tool.name;
    this.#count(name, outcome, durationMs);
    if (this.#telemetry.listening) this.#measure(name, outcome, durationMs);
    if (this.#audit) this.#record(call, outcome, durationMs);
  }

  #measure(name: string, outcome: CallOutcome, durationMs: number): void {
    this.#telemetry.duration('mcp.server.operation.duration', durationMs, {
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': name,
      ...(outcome === 'failed' || outcome === 'cancelled' ? { 'error.type': outcome } : {}),
    });
  }

  #count(name: string, outcome: CallOutcome, durationMs: number): void {
    let numbers = this.#stats.get(name);
    if (!numbers) {
      numbers = { calls: 0, failed: 0, cancelled: 0, totalMs: 0 };
      this.#stats.set(name, numbers);
    }
    numbers.calls += 1;
    numbers.totalMs += durationMs;
    if (outcome === 'failed') numbers.failed += 1;
    if (outcome === 'cancelled') numbers.cancelled += 1;
  }

  #record(
    { tool, arguments: args, principal, correlationId }: ToolCall,
    outcome: CallOutcome,
    durationMs: number,
  ): void {
    const time = new Date(Date.now() - durationMs);
    const record = { time, tool: tool.name, arguments: args, principal, correlationId, outcome, durationMs };
    Promise.resolve(record)
      .then(this.#audit)
      .catch((error: unknown) =>
        this.#telemetry.logger.error({ error, correlationId }, 'The audit of a tool call failed'),
      );
  }
}
