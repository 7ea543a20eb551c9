import { currentContext, redact } from '../../core/index.js';
import type { RequestContext } from '../sdk/server-sdk.js';
import type { LogLevel, Principal, ToolContext } from '../tools/tool.js';

/** The principal that `MCPServer.fetch` put into a request. */
export function principalOf(request: RequestContext): Principal | undefined {
  return request.http?.authInfo?.extra?.principal as Principal | undefined;
}

/** What a handler gets. Made inside the call's `withContext`. */
export class CallContext implements ToolContext {
  readonly correlationId: string;
  readonly principal: Principal | undefined;
  readonly #request: RequestContext;
  readonly #here: ReturnType<typeof currentContext> = currentContext();
  #done = Number.NEGATIVE_INFINITY;

  constructor(request: RequestContext, correlationId: string) {
    this.#request = request;
    this.correlationId = correlationId;
    this.principal = principalOf(request);
  }

  get signal(): AbortSignal {
    return this.#here.signal ?? this.#request.mcpReq.signal;
  }

  async progress(done: number, total?: number, message?: string): Promise<void> {
    const token = this.#request.mcpReq._meta?.progressToken;
    if (token === undefined || !(done > this.#done)) return;
    this.#done = done;
    const params = {
      progressToken: token,
      progress: done,
      ...(total === undefined ? {} : { total }),
      ...(message === undefined ? {} : { message }),
    };
    await this.#request.mcpReq.notify({ method: 'notifications/progress', params }).catch(clientIsGone);
  }

  async log(level: LogLevel, data: unknown): Promise<void> {
    await this.#request.mcpReq.log(level, redact(data)).catch(clientIsGone);
  }
}

/** Nobody is left to tell; the call itself ends by its signal. */
function clientIsGone(): void {}
