import type { ToolInfo } from '../host/types.js';
import type { ClientSDK, RequestOptions, SDKClient } from './client-sdk.js';

/** A question of a server, as the protocol writes it. */
export interface WireRequest {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** The SDK's `Client` with what it leaves out of the tasks extension. */
export interface TaskClient extends SDKClient {
  /** Answers a question by the handler of its method, as if it had come as a request. */
  answerRequest(key: string, request: WireRequest, signal: AbortSignal): Promise<unknown>;
  /** @throws what `callTool` throws for an answer that breaks the tool's output schema, where that is known */
  checkResult(tool: string, result: unknown): void;
  /** Gets each `notifications/tasks`. */
  onTask: ((task: unknown) => void) | undefined;
  /** The tasks of which the server has agreed to tell. */
  readonly told: Set<unknown>;
  /** Sends a request that the SDK does not know, and takes its result as it is. */
  ask(method: string, params: Readonly<Record<string, unknown>>, options: RequestOptions): Promise<unknown>;
}

type TaskClientClass = new (...args: ConstructorParameters<ClientSDK['Client']>) => TaskClient;

/** Where the stand-in for a tool's answer keeps the task that came in its place. */
const taskKey = 'safla/task';

/** The task in place of an answer, if that is what a call got. */
export function taskIn(result: unknown): unknown {
  return (result as { readonly _meta?: Readonly<Record<string, unknown>> })._meta?.[taskKey];
}

/** The parts of the SDK's `Client` that its subclasses may use and replace. */
interface Inner {
  _onresponse(response: WireResponse): void;
  _getRequestHandler(method: string): ((request: unknown, context: unknown) => Promise<unknown>) | undefined;
  _compileOutputValidator(tool: unknown): Compiled | undefined;
  _onnotification(message: object, extra: unknown): void;
  request(request: WireRequest, options: RequestOptions): Promise<unknown>;
  request(request: WireRequest, schema: { readonly '~standard': object }, options: RequestOptions): Promise<unknown>;
}

interface WireNotification {
  readonly method?: unknown;
  readonly params?: { readonly notifications?: { readonly taskIds?: unknown } };
}

interface WireResponse {
  readonly result?: { readonly resultType?: unknown };
}

type Validator = (value: unknown) => { readonly valid: boolean; readonly errorMessage?: string };

interface Compiled {
  readonly ok: boolean;
  readonly validator?: Validator;
  readonly compileError?: unknown;
}

/** A tool that was listed. */
class Known {
  /** Whether arguments are repeated as headers (SEP-2243), which the SDK does. */
  readonly hasHeaders: boolean;
  readonly #tool: ToolInfo;
  #compiled: Compiled | undefined;

  constructor(tool: ToolInfo) {
    this.#tool = tool;
    this.hasHeaders = JSON.stringify(tool.inputSchema).includes('x-mcp-header');
  }

  /** Undefined for a tool that promises nothing of its answers. */
  validator(client: Inner): Validator | undefined {
    if (!this.#tool.outputSchema) return undefined;
    this.#compiled ??= client._compileOutputValidator(this.#tool);
    if (this.#compiled?.ok === false)
      throw new Error(`Tool '${this.#tool.name}' has an invalid outputSchema: ${String(this.#compiled.compileError)}`);
    return this.#compiled?.validator;
  }
}

/** @throws when the answer breaks what the tool promises; a failure promises nothing, nor does a task that begins */
function check(tool: string, validator: Validator, result: unknown): void {
  const { structuredContent, isError } = result as { structuredContent?: unknown; isError?: boolean };
  if (isError) return;
  if (structuredContent === undefined)
    throw new Error(`Tool '${tool}' has an output schema and gave no structured content`);
  const { valid, errorMessage } = validator(structuredContent);
  if (!valid) throw new Error(`the answer does not match the output schema of '${tool}': ${errorMessage}`);
}

/** A server says by it that a call lacks a header (SEP-2243). */
const headerMismatch = -32020;

/** Accepts any result: its reader looks at it. */
const unchecked = { '~standard': { version: 1, vendor: 'safla', validate: (value: unknown) => ({ value }) } };

const made: WeakMap<ClientSDK, TaskClientClass> = new WeakMap();

/**
 * The SDK's `Client` that takes a task in place of a tool's answer, which the SDK refuses as a result
 * of a kind it does not know. The task travels through the SDK's checks inside of an empty answer.
 */
export function clientClass(sdk: ClientSDK): TaskClientClass {
  let type = made.get(sdk);
  if (!type) {
    const inner = sdk.Client.prototype as unknown as Inner;
    type = class extends sdk.Client {
      /** The tools as they were listed last, by name. */
      readonly listed: Map<string, Known> = new Map();

      override async listTools(...args: Parameters<SDKClient['listTools']>): ReturnType<SDKClient['listTools']> {
        const list = await super.listTools(...args);
        this.listed.clear();
        for (const tool of list.tools as ToolInfo[]) this.listed.set(tool.name, new Known(tool));
        return list;
      }

      /** As the SDK does it, which looks for the tool in its cache and through its schema at every call. */
      override async callTool(...[params, options]: Parameters<SDKClient['callTool']>): Promise<unknown> {
        const known = this.listed.get(String(params.name));
        if (known?.hasHeaders) return super.callTool(params, options);
        const validator = known?.validator(this as unknown as Inner);
        let result: unknown;
        try {
          result = await (this as unknown as Inner).request({ method: 'tools/call', params }, options);
        } catch (error) {
          if ((error as { readonly code?: unknown }).code !== headerMismatch) throw error;
          return super.callTool(params, options);
        }
        if (validator) check(String(params.name), validator, result);
        return result;
      }

      onTask: ((task: unknown) => void) | undefined;
      readonly told: Set<unknown> = new Set();

      protected _onnotification(message: WireNotification, extra: unknown): void {
        const { method, params } = message;
        if (method === 'notifications/tools/list_changed') this.listed.clear();
        if (method === 'notifications/tasks') {
          this.onTask?.(params);
          return;
        }
        // The SDK knows no `taskIds` and leaves them out of what it hands on.
        if (method === 'notifications/subscriptions/acknowledged' && Array.isArray(params?.notifications?.taskIds))
          for (const id of params.notifications.taskIds) this.told.add(id);
        inner._onnotification.call(this, message, extra);
      }

      protected _onresponse(response: WireResponse): void {
        const { result } = response;
        // The extension is of 2026-07-28 and later.
        if (result?.resultType !== 'task' || this.getProtocolEra() !== 'modern') inner._onresponse.call(this, response);
        else
          inner._onresponse.call(this, {
            ...response,
            // As a failure it need not fit the tool's output schema.
            result: { resultType: 'complete', content: [], isError: true, _meta: { [taskKey]: result } },
          } as WireResponse);
      }

      ask(method: string, params: Readonly<Record<string, unknown>>, options: RequestOptions): Promise<unknown> {
        return (this as unknown as Inner).request({ method, params }, unchecked, options);
      }

      async answerRequest(key: string, { method, params }: WireRequest, signal: AbortSignal): Promise<unknown> {
        const handler = inner._getRequestHandler.call(this, method);
        if (!handler) throw new Error(`there is no answer to '${method}'`);
        return handler(
          { jsonrpc: '2.0', id: key, method, ...(params ? { params } : {}) },
          { mcpReq: { id: key, method, signal } },
        );
      }

      checkResult(tool: string, result: unknown): void {
        const validator = this.listed.get(tool)?.validator(this as unknown as Inner);
        if (validator) check(tool, validator, result);
      }
    } as unknown as TaskClientClass;
    made.set(sdk, type);
  }
  return type;
}
