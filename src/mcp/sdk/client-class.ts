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
  checkResult(tool: string, result: unknown): Promise<void>;
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
  readonly _cache?: {
    outputValidator(tool: string, compile: (tool: unknown) => Compiled | undefined): Promise<Compiled | undefined>;
  };
  request(request: WireRequest, schema: { readonly '~standard': object }, options: RequestOptions): Promise<unknown>;
}

interface WireResponse {
  readonly result?: { readonly resultType?: unknown };
}

interface Compiled {
  readonly ok: boolean;
  readonly validator?: (value: unknown) => { readonly valid: boolean; readonly errorMessage?: string };
}

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

      async checkResult(tool: string, result: unknown): Promise<void> {
        const { structuredContent, isError } = result as { structuredContent?: unknown; isError?: boolean };
        const self = this as unknown as Inner;
        const compiled = await self._cache?.outputValidator(tool, (known) => self._compileOutputValidator(known));
        if (isError || !compiled?.ok || !compiled.validator) return;
        if (structuredContent === undefined)
          throw new Error(`Tool ${tool} has an output schema but did not return structured content`);
        const { valid, errorMessage } = compiled.validator(structuredContent);
        if (!valid) throw new Error(`Structured content does not match the tool's output schema: ${errorMessage}`);
      }
    } as unknown as TaskClientClass;
    made.set(sdk, type);
  }
  return type;
}
