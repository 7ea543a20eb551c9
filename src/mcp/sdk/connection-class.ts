import { type Connection, type RequestContext, type RPCParams, type ServerSDK, unchecked } from './server-sdk.js';

type Handler = (request: { readonly params?: unknown }, context: RequestContext) => unknown;

/** Answers a request out of its parameters, which nobody has looked at. */
export type DirectHandler = (params: RPCParams, context: RequestContext) => unknown;

/** A {@link Connection} that can leave the look at parameters and results to a handler. */
export interface DirectConnection extends Connection {
  setDirectHandler(method: string, handler: DirectHandler): void;
}

/** The part of the SDK's `Server` that its subclasses may replace. */
interface Replaceable {
  _wrapHandler(method: string, handler: Handler): Handler;
  buildContext(context: RequestContext, transport: object): RequestContext;
}

type ConnectionClass = new (...args: ConstructorParameters<ServerSDK['Server']>) => DirectConnection;

const made: WeakMap<ServerSDK, ConnectionClass> = new WeakMap();

/**
 * The SDK's `Server` with a way around its own look at `tools/call` and its like: it checks their
 * parameters and results by its schemas, twice, which costs as much as the rest of a call, and refuses
 * results of extensions (tasks). Where an SDK has no such hook, its checks stay.
 */
export function connectionClass(sdk: ServerSDK): ConnectionClass {
  let type = made.get(sdk);
  if (!type) {
    const inherited = sdk.Server.prototype as unknown as Replaceable;
    type = class extends sdk.Server {
      // The base class wraps handlers in its constructor already, when this is not there yet.
      declare direct: DirectHandler | undefined;

      setDirectHandler(method: string, handler: DirectHandler): void {
        this.direct = handler;
        this.setRequestHandler(method, unchecked, handler);
        this.direct = undefined;
      }

      protected _wrapHandler(method: string, handler: Handler): Handler {
        const { direct } = this;
        if (direct) return (request, context) => direct((request.params ?? {}) as RPCParams, context);
        return inherited._wrapHandler.call(this, method, handler);
      }

      /** What the SDK adds, where no HTTP request is told of, are ways to log and to ask that nobody here goes. */
      protected buildContext(context: RequestContext, transport: object | undefined): RequestContext {
        return transport ? inherited.buildContext.call(this, context, transport) : context;
      }
    } as unknown as ConnectionClass;
    made.set(sdk, type);
  }
  return type;
}
