import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { UnsupportedError } from '../../core/index.js';
import { checkOptions, is, lazy, type OptionChecks } from '../../core/internal.js';
import { acceptedEncodings } from './content-coding.js';
import { type Exchange, subjectOf } from './exchange.js';
import type { AddressGuard } from './guard/index.js';
import type { HTTPRequest, HTTPTransport } from './transport.js';
import { limitsOf, type TransportOptions, transportChecks } from './transport-options.js';
import { UndiciHandler } from './undici-handler.js';
import { WireTransport } from './wire-transport.js';

/** Settings of {@link undiciTransport}. */
export interface UndiciTransportOptions extends TransportOptions {
  /** A ready undici dispatcher, such as a `ProxyAgent`. The caller owns it. @default an Agent with keep-alive, ours */
  readonly dispatcher?: Dispatcher;
}

const optionChecks: OptionChecks<UndiciTransportOptions> = { ...transportChecks, dispatcher: is.object };

const loadUndici = lazy(() => import('undici'));

/**
 * The default transport: undici with a keep-alive pool per origin. Answers in gzip, deflate and br are
 * unpacked, never past the size limit. Redirects are followed at most five times, for GET and HEAD,
 * inside the same origin unless `mayFollow` says otherwise; every other 3xx is the answer. Proxy variables of the environment are not
 * read: pass a `dispatcher`.
 *
 * @throws ConfigurationError
 * @example const transport = undiciTransport({ maxResponseBytes: 1_048_576 });
 */
export function undiciTransport(options: UndiciTransportOptions = {}): HTTPTransport {
  checkOptions('undiciTransport', options, optionChecks);
  return new UndiciTransport(options);
}

class UndiciTransport extends WireTransport {
  readonly #maxConnections: number;
  readonly #given: Dispatcher | undefined;
  readonly #own: () => Promise<Dispatcher>;
  readonly #guarded: Map<AddressGuard, Promise<Dispatcher>> = new Map();
  #agent: Dispatcher | undefined;

  constructor(options: UndiciTransportOptions) {
    const { maxConnections, ...limits } = limitsOf(options);
    super(limits);
    this.#given = options.dispatcher;
    this.#maxConnections = maxConnections;
    this.#own = lazy(() => this.#open());
  }

  protected override async dispatch(request: HTTPRequest, exchange: Exchange): Promise<void> {
    const url = new URL(request.url);
    const { origin, pathname, search } = url;
    const given = this.#dispatcherFor(url, request);
    const dispatcher = given instanceof Promise ? await given : given;
    const { body } = request;
    const options: Dispatcher.DispatchOptions = {
      origin,
      path: pathname + search,
      method: request.method as Dispatcher.HttpMethod,
      headers: { 'accept-encoding': acceptedEncodings, ...request.headers },
      body: body instanceof FormData ? await formOf(body) : wireBody(body),
    };
    this.assertOpen();
    dispatcher.dispatch(options, new UndiciHandler(exchange));
  }

  /** Not by `close`: that would still connect for requests whose callers have left the line. */
  protected override async release(): Promise<void> {
    const opened = [...(this.#agent ? [this.#agent] : []), ...this.#guarded.values()];
    await Promise.all(opened.map(async (agent) => (await agent).destroy()));
  }

  /** What sends a request. A guarded one has connections of its own: those that were opened unguarded prove nothing. */
  #dispatcherFor(url: URL, request: HTTPRequest): Dispatcher | Promise<Dispatcher> {
    const guard = request.guardFor?.(url);
    if (!guard) return this.#given ?? this.#agent ?? this.#own();
    guard.check(url);
    if (this.#given) {
      throw new UnsupportedError(
        `${subjectOf(request)}: addresses cannot be checked through a dispatcher of your own; use a transport without one for other origins`,
      );
    }
    const agent = this.#guarded.get(guard) ?? this.#open(guard);
    this.#guarded.set(guard, agent);
    return agent;
  }

  async #open(guard?: AddressGuard): Promise<Dispatcher> {
    const { connectTimeoutMs, idleTimeoutMs } = this.limits;
    const connections = this.#maxConnections;
    const { Agent } = await loadUndici();
    const agent = new Agent({
      connections: connections === Number.POSITIVE_INFINITY ? null : connections,
      connect: { timeout: finite(connectTimeoutMs), ...(guard && { lookup: guard.lookup }) },
      headersTimeout: finite(idleTimeoutMs),
      bodyTimeout: finite(idleTimeoutMs),
    });
    if (!guard) this.#agent = agent;
    return agent;
  }
}

type WireBody = Exclude<Dispatcher.DispatchOptions['body'], undefined>;

function wireBody(body: Exclude<HTTPRequest['body'], FormData>): WireBody {
  if (body === undefined) return null;
  const known = typeof body === 'string' || body instanceof Uint8Array || body instanceof Readable;
  // undici takes a Blob by its shape, which its types do not say.
  if (known || body instanceof Blob) return body as Readable;
  return Readable.from(body as AsyncIterable<Uint8Array>, { objectMode: false });
}

/** undici encodes forms of its own FormData only; it measures them, and says their boundary itself. */
async function formOf(body: FormData): Promise<WireBody> {
  const form = new (await loadUndici()).FormData();
  for (const [name, value] of body) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, value.name);
  }
  return form;
}

/** undici writes "no limit" as 0. */
function finite(ms: number): number {
  return ms === Number.POSITIVE_INFINITY ? 0 : ms;
}
