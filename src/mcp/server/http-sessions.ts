import { randomUUID } from 'node:crypto';
import type { AuthInfo, ServerSDK, SessionTransport } from '../sdk/server-sdk.js';
import { type EventMemoryOptions, isEventStore, type MCPEventStore } from './event-store.js';
import { MemoryEventStore } from './memory-event-store.js';
import { rpcFailure } from './rpc-failure.js';
import { watchRequests } from './running-requests.js';
import type { ConnectionSettings, Served } from './served.js';
import { SessionEvents } from './session-events.js';
import { whenRead } from './when-read.js';

/** Bounds of the sessions that Streamable HTTP has for clients before 2026-07-28. */
export interface SessionOptions {
  /** The session that was not used for longest makes room. @default 10000 */
  readonly maxSessions?: number;
  /** A session that is not used for this long is forgotten, in milliseconds. @default 3600000 */
  readonly idleMs?: number;
  /**
   * Keeps what was sent for clients whose connection was cut: who comes back with `Last-Event-ID` gets
   * what it missed, and the answer of a call that ran on meanwhile. `false` keeps nothing.
   *
   * @default in memory, 16 MiB and 5 minutes
   */
  readonly events?: MCPEventStore | EventMemoryOptions | false;
}

/** What {@link HTTPSessions} stands on. */
export interface HTTPSessionsOptions extends Required<SessionOptions> {
  readonly sdk: ServerSDK;
  readonly maxRequestBytes: number;
  /** Makes the server of one session; `settings` are those of an earlier life of it. */
  readonly connect: (settings: ConnectionSettings) => Served;
}

/** Who sent a request, as the lane has found out. */
export interface Caller {
  readonly id: string;
  readonly authInfo: AuthInfo | undefined;
}

interface Live {
  readonly served: Served;
  readonly transport: SessionTransport;
  /** Requests being read and streams being written. */
  open: number;
  /** Requests without an answer, also those whose connection was cut. */
  readonly running: ReadonlySet<unknown>;
}

interface Session {
  readonly id: string;
  readonly owner: string;
  /** The parameters of `initialize`, to begin again with. */
  readonly hello: object;
  readonly settings: ConnectionSettings;
  usedAt: number;
  live: Live | undefined;
}

/** Sessions beyond this many that are doing nothing keep only what it takes to wake them. */
const maxLive = 64;
/** Larger than any honest `initialize`, small enough to be kept for each session. */
const maxHelloLength = 8_192;

/**
 * Sessions by the `Mcp-Session-Id` header (2025-11-25, basic/transports). A session belongs to who
 * opened it. One that is doing nothing may be put to sleep: its server is closed, and made anew from
 * the client's own `initialize` when the client comes back, so that abandoned sessions cost little.
 */
export class HTTPSessions {
  readonly #options: HTTPSessionsOptions;
  readonly #events: MCPEventStore | undefined;
  /** Least recently used first. */
  readonly #sessions: Map<string, Session> = new Map();
  readonly #live: Set<Session> = new Set();

  constructor(options: HTTPSessionsOptions) {
    this.#options = options;
    const { events } = options;
    if (events !== false) this.#events = isEventStore(events) ? events : new MemoryEventStore(events);
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Answers `initialize` with a new session. */
  async open(request: Request, body: unknown, caller: Caller): Promise<Response> {
    const hello = (body as { params: object }).params;
    if (JSON.stringify(hello).length > maxHelloLength) return rpcFailure(413, 'initialize is too large');
    this.#forgetOld();
    if (this.#sessions.size >= this.#options.maxSessions && !this.#dropIdle()) {
      return rpcFailure(503, 'Too many sessions are in use', { 'retry-after': '5' });
    }
    const id = randomUUID();
    const session: Session = { id, owner: caller.id, hello, settings: {}, usedAt: Date.now(), live: undefined };
    this.#sessions.set(id, session);
    const response = await this.#handle(await this.#wake(session), request, caller, body);
    if (!response.ok) this.#drop(session);
    return response;
  }

  /** Answers a request of a session; 404 makes the client open a new one. */
  async serve(request: Request, id: string, caller: Caller): Promise<Response> {
    this.#forgetOld();
    const session = this.#sessions.get(id);
    if (session?.owner !== caller.id) return rpcFailure(404, 'Session not found');
    session.usedAt = Date.now();
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    if (request.method === 'DELETE' && !session.live) {
      this.#drop(session);
      return new Response(null, { status: 200 });
    }
    const live = session.live ?? (await this.#revive(session, request, caller));
    return this.#handle(live, request, caller);
  }

  async close(): Promise<void> {
    const live = [...this.#live];
    this.#sessions.clear();
    this.#live.clear();
    await Promise.all(live.map(({ live: open }) => open?.transport.close()));
  }

  async #handle(live: Live, request: Request, { authInfo }: Caller, parsedBody?: unknown): Promise<Response> {
    const options = {
      ...(authInfo ? { authInfo } : {}),
      ...(parsedBody === undefined ? {} : { parsedBody }),
    };
    live.open += 1;
    const done = (): void => {
      live.open -= 1;
    };
    try {
      return whenRead(await live.transport.handleRequest(request, options), done);
    } catch (error) {
      done();
      throw error;
    }
  }

  async #wake(session: Session): Promise<Live> {
    const { sdk, connect, maxRequestBytes } = this.#options;
    const served = connect(session.settings);
    const transport = new sdk.WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => session.id,
      onsessionclosed: () => this.#drop(session),
      maxRequestBodySize: maxRequestBytes,
      ...(this.#events ? { eventStore: new SessionEvents(this.#events, session.id) } : {}),
    });
    await served.connection.connect(transport);
    const live = { served, transport, open: 0, running: watchRequests(transport) };
    session.live = live;
    this.#live.add(session);
    this.#putToSleep(session);
    return live;
  }

  /** The server of a session that slept: it hears the client's `initialize` again. */
  async #revive(session: Session, request: Request, caller: Caller): Promise<Live> {
    const live = await this.#wake(session);
    const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    const hello = new Request(request.url, { method: 'POST', headers, body: '{}' });
    const body = { jsonrpc: '2.0', id: 0, method: 'initialize', params: session.hello };
    await (await this.#handle(live, hello, caller, body)).text();
    return live;
  }

  /** Closes servers of sessions that do nothing, the least recently used first. */
  #putToSleep(but: Session): void {
    for (const session of this.#live) {
      if (this.#live.size <= maxLive) return;
      if (session !== but && isIdle(session)) this.#sleep(session);
    }
  }

  #sleep(session: Session): void {
    const { live } = session;
    session.live = undefined;
    this.#live.delete(session);
    live?.transport.close().catch(() => undefined);
  }

  #drop(session: Session): void {
    this.#sessions.delete(session.id);
    this.#sleep(session);
  }

  #forgetOld(): void {
    const oldest = Date.now() - this.#options.idleMs;
    for (const session of this.#sessions.values()) {
      if (session.usedAt > oldest) return;
      if (isIdle(session)) this.#drop(session);
    }
  }

  #dropIdle(): boolean {
    for (const session of this.#sessions.values()) {
      if (!isIdle(session)) continue;
      this.#drop(session);
      return true;
    }
    return false;
  }
}

function isIdle({ live }: Session): boolean {
  return !live || (live.open === 0 && live.running.size === 0);
}
