import type { ServerSDK } from './server-sdk.js';

type Handler = (request: unknown, context: unknown) => unknown;

/** The part of the SDK's `Server` that its subclasses may replace. */
interface Wrapping {
  _wrapHandler(method: string, handler: Handler): Handler;
}

/** Their parameters and results are looked at by our own handlers. */
const direct: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

const made: WeakMap<ServerSDK, ServerSDK['Server']> = new WeakMap();

/**
 * The SDK's `Server` without its second look at three methods: it checks requests and results of
 * `tools/call` by its own schemas again, which costs as much as the rest of a call, and refuses
 * results of extensions (tasks). Where an SDK has no such hook, its checks stay.
 */
export function connectionClass(sdk: ServerSDK): ServerSDK['Server'] {
  let type = made.get(sdk);
  if (!type) {
    type = class extends sdk.Server {
      // The base class calls this from its constructor, so it uses no fields.
      protected _wrapHandler(method: string, handler: Handler): Handler {
        if (direct.has(method)) return handler;
        return (sdk.Server.prototype as unknown as Wrapping)._wrapHandler.call(this, method, handler);
      }
    } as ServerSDK['Server'];
    made.set(sdk, type);
  }
  return type;
}
