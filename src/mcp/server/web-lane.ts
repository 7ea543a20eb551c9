import type { AuthInfo, Connection, Era, HTTPHandler, ServerSDK } from '../sdk/server-sdk.js';
import type { Principal } from '../tools/tool.js';
import { type Caller, HTTPSessions, type SessionOptions } from './http-sessions.js';
import { decodeHeader, type ParamHeader, refuseParamHeaders } from './param-headers.js';
import { rpcFailure } from './rpc-failure.js';
import type { ConnectionSettings, Served } from './served.js';
import { listenToTasks, tellOfTasks } from './task-listen.js';
import type { RPCMessage, TaskNews } from './task-news.js';

/** What the lane needs of its server. */
export interface WebLaneOptions {
  readonly sdk: ServerSDK;
  readonly maxRequestBytes: number;
  readonly news: TaskNews;
  /** False serves clients before 2026-07-28 without sessions: one request, one answer. */
  readonly sessions: SessionOptions | false;
  /** Makes the server of a session. */
  readonly session: (settings: ConnectionSettings) => Served;
  /** Makes the server of one request. */
  readonly exchange: (era: Era) => Connection;
  /** The parameters of a tool that its calls repeat as headers. */
  readonly paramHeaders: (tool: string) => readonly ParamHeader[];
  readonly onerror: (error: Error) => void;
}

const defaultSessions: Required<SessionOptions> = { maxSessions: 10_000, idleMs: 3_600_000, events: {} };

/**
 * Streamable HTTP of both protocol eras at one address. Requests of 2026-07-28 stand for themselves;
 * `initialize` of an earlier protocol opens a session.
 */
export class WebLane {
  readonly #options: WebLaneOptions;
  readonly #sessions: HTTPSessions | undefined;
  readonly #handler: HTTPHandler;

  constructor(options: WebLaneOptions) {
    this.#options = options;
    const { sdk, sessions, maxRequestBytes, session, exchange, onerror } = options;
    this.#sessions =
      sessions === false
        ? undefined
        : new HTTPSessions({
            ...defaultSessions,
            ...sessions,
            sdk,
            maxRequestBytes,
            connect: session,
          });
    this.#handler = sdk.createMcpHandler(({ era }) => exchange(era), { onerror, maxRequestBodySize: maxRequestBytes });
  }

  /** Tells those who listen by `subscriptions/listen`. */
  get notify(): HTTPHandler['notify'] {
    return this.#handler.notify;
  }

  async fetch(request: Request, principal: Principal | undefined): Promise<Response> {
    const authInfo = principal && toAuthInfo(principal);
    const options = authInfo ? { authInfo } : {};
    const caller: Caller = { id: principal?.id ?? '', authInfo };
    const sessionId = request.headers.get('mcp-session-id');
    if (this.#sessions && sessionId) return this.#sessions.serve(request, sessionId, caller);
    // Only a client that has not agreed on a version yet says `initialize`.
    const mayBegin =
      this.#sessions && request.method === 'POST' && !request.headers.has('mcp-method') && isJSON(request);
    const declared = this.#paramHeaders(request);
    const listens = request.method === 'POST' && request.headers.get('mcp-method') === 'subscriptions/listen';
    if (!mayBegin && !listens && declared.length === 0) return this.#handler.fetch(request, options);
    const { sdk, news, maxRequestBytes } = this.#options;
    const read = await sdk.readRequestBody(request, maxRequestBytes);
    if (read.tooLarge) return rpcFailure(413, `The request body is larger than ${maxRequestBytes} bytes`);
    const body = parse(read.text);
    if (body === undefined) return rpcFailure(400, 'Parse error: the request body is not valid JSON', {}, parseError);
    const refusal = refuseParamHeaders(declared, body, request.headers);
    if (refusal) return refusal;
    if (this.#sessions && sdk.isInitializeRequest(body) && !claimsModern(body))
      return this.#sessions.open(request, body, caller);
    const listening = listens ? listenToTasks(sdk, news, Object(body) as RPCMessage, caller.id) : undefined;
    if (!listening) return this.#handler.fetch(request, { ...options, parsedBody: body });
    if ('refusal' in listening) return Response.json(listening.refusal, { status: 400 });
    return tellOfTasks(news, await this.#handler.fetch(request, { ...options, parsedBody: listening.request }));
  }

  /** By the header that the SDK holds against the body, so that other calls need no look into it. */
  #paramHeaders({ method, headers }: Request): readonly ParamHeader[] {
    if (method !== 'POST' || headers.get('mcp-method') !== 'tools/call') return [];
    const name = decodeHeader(headers.get('mcp-name') ?? '');
    return name === undefined ? [] : this.#options.paramHeaders(name);
  }

  async close(): Promise<void> {
    await Promise.all([this.#handler.close(), this.#sessions?.close()]);
  }
}

/** JSON-RPC's code for text that is no JSON. */
const parseError = -32_700;

/** Every request of 2026-07-28 names its protocol; there, `initialize` is an unknown method. */
function claimsModern(body: unknown): boolean {
  const { params } = body as { params?: { _meta?: object } };
  return Object.hasOwn(params?._meta ?? {}, 'io.modelcontextprotocol/protocolVersion');
}

function isJSON(request: Request): boolean {
  return /^application\/json\s*(?:;|$)/i.test(request.headers.get('content-type') ?? '');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The caller's token stays outside: handlers learn who calls, and have nothing to pass on. */
function toAuthInfo(principal: Principal): AuthInfo {
  const { id: clientId, scopes = [] } = principal;
  return { token: '', clientId, scopes: [...scopes], extra: { principal } };
}
