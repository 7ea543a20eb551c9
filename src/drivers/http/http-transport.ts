import type { Agent, RequestOptions } from 'node:http';
import type { Agent as SecureAgent } from 'node:https';
import { pipeline, Readable } from 'node:stream';
import { UnsupportedError } from '../../core/index.js';
import { checkOptions, is, lazy, type OptionChecks } from '../../core/internal.js';
import { acceptedEncodings } from './content-coding.js';
import { type Exchange, subjectOf } from './exchange.js';
import type { AddressGuard } from './guard/index.js';
import { GuardedPools } from './guarded-pools.js';
import { reportTo } from './node-request.js';
import type { HTTPBody, HTTPRequest, HTTPTransport } from './transport.js';
import { limitsOf, type TransportOptions, transportChecks } from './transport-options.js';
import { WireTransport } from './wire-transport.js';

/** Ready agents of `node:http` and `node:https`. */
export interface HTTPAgents {
  readonly http?: Agent;
  readonly https?: SecureAgent;
}

/** Settings of {@link httpTransport}. */
export interface HTTPTransportOptions extends TransportOptions {
  /** A proxy's agents, or ones with certificates. The caller owns them. @default ours, with keep-alive */
  readonly agents?: HTTPAgents;
}

const optionChecks: OptionChecks<HTTPTransportOptions> = {
  ...transportChecks,
  agents: is.options<HTTPAgents>({ http: is.object, https: is.object }),
};

const loadNode = lazy(async () => ({ 'http:': await import('node:http'), 'https:': await import('node:https') }));

/**
 * The transport over `node:http` and `node:https`, for what instruments or replaces those: proxies and agents,
 * recordings, tracers. In all else it behaves like `undiciTransport`, and costs about twice as much.
 *
 * @throws ConfigurationError
 * @example const api = new APIIntegration({ baseURL, transport: httpTransport({ agents: { https: proxyAgent } }) });
 */
export function httpTransport(options: HTTPTransportOptions = {}): HTTPTransport {
  checkOptions('httpTransport', options, optionChecks);
  return new NodeTransport(options);
}

class NodeTransport extends WireTransport {
  readonly #given: HTTPAgents;
  readonly #maxSockets: number;
  readonly #agents: Map<string, NodeAgents> = new Map();

  constructor(options: HTTPTransportOptions) {
    const { maxConnections, ...limits } = limitsOf(options);
    super(limits);
    this.#given = options.agents ?? {};
    this.#maxSockets = maxConnections;
  }

  protected override async dispatch(request: HTTPRequest, exchange: Exchange): Promise<void> {
    const url = new URL(request.url);
    const guard = request.guardFor?.(url);
    guard?.check(url);
    const node = await loadNode();
    const { content, headers } = toNode(request.body);
    this.assertOpen();
    if (exchange.stopped) return;
    const options: RequestOptions = {
      method: request.method,
      headers: { 'accept-encoding': acceptedEncodings, ...headers, ...request.headers },
      agent: this.#agentFor(url, guard, node[url.protocol === 'https:' ? 'https:' : 'http:'].Agent, request),
      ...(guard && { lookup: guard.lookup }),
    };
    const outgoing = node[url.protocol === 'https:' ? 'https:' : 'http:'].request(url, options);
    reportTo(exchange, outgoing, this.limits, () => subjectOf(request));
    if (content instanceof Readable) pipeline(content, outgoing, () => undefined);
    else outgoing.end(content);
  }

  protected override async release(): Promise<void> {
    for (const { own, guarded } of this.#agents.values())
      for (const agent of [own, ...guarded.values()]) agent.destroy();
  }

  #agentFor({ protocol }: URL, guard: AddressGuard | undefined, AgentClass: typeof Agent, request: HTTPRequest): Agent {
    const given = protocol === 'https:' ? this.#given.https : this.#given.http;
    if (given && !guard) return given;
    if (given) {
      throw new UnsupportedError(
        `${subjectOf(request)}: addresses cannot be checked through an agent of your own; use a transport without one for other origins`,
      );
    }
    const open = (): Agent => new AgentClass({ keepAlive: true, maxSockets: this.#maxSockets });
    const agents = this.#agents.get(protocol) ?? { own: open(), guarded: new GuardedPools(retire) };
    this.#agents.set(protocol, agents);
    return guard ? agents.guarded.for(guard, open) : agents.own;
  }
}

/** The agents for one protocol. */
interface NodeAgents {
  readonly own: Agent;
  readonly guarded: GuardedPools<Agent>;
}

/** Its idle connections end now, the others with their answers. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

interface NodeBody {
  readonly content: string | Uint8Array | Readable | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** What node:http can write, with the headers it needs for that. */
function toNode(body: HTTPBody | undefined): NodeBody {
  if (body === undefined) return { content: body, headers: {} };
  // Said always: node:http says it for some methods only, and a DELETE would go out as if it had no body.
  if (typeof body === 'string' || body instanceof Uint8Array) {
    return { content: body, headers: { 'content-length': String(Buffer.byteLength(body)) } };
  }
  const chunked = { 'transfer-encoding': 'chunked' };
  if (body instanceof FormData) {
    // The platform knows how to encode a form, and says its boundary.
    const encoded = new Response(body);
    const type = encoded.headers.get('content-type') ?? '';
    return { content: readableOf(encoded.body ?? []), headers: { ...chunked, 'content-type': type } };
  }
  if (body instanceof Blob)
    return { content: readableOf(body.stream()), headers: { 'content-length': String(body.size) } };
  return { content: body instanceof Readable ? body : readableOf(body), headers: chunked };
}

function readableOf(content: unknown): Readable {
  return Readable.from(content as AsyncIterable<Uint8Array>, { objectMode: false });
}
