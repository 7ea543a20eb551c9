import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { ClosedError, UnsupportedError } from '../../core/index.js';
import { checkOptions, is, lazy, type OptionChecks } from '../../core/internal.js';
import { acceptedEncodings } from './content-coding.js';
import { Exchange, subjectOf } from './exchange.js';
import { followRedirects } from './follow-redirects.js';
import type { AddressGuard } from './guard/index.js';
import type { HTTPRequest, HTTPResponse, HTTPTransport } from './transport.js';
import { UndiciHandler } from './undici-handler.js';

/** Settings of {@link undiciTransport}. */
export interface UndiciTransportOptions {
  /** Longest answer in bytes, counted after decompression. @default 10485760 (10 MiB) */
  readonly maxResponseBytes?: number;
  /** For opening a connection, TLS included, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** Longest silence while waiting for headers or between two parts of a body, in milliseconds. @default 300000 */
  readonly idleTimeoutMs?: number;
  /** Connections kept per origin; more requests wait for one. @default 128 */
  readonly maxConnections?: number;
  /** A ready undici dispatcher, such as a `ProxyAgent`. The caller owns it. @default an Agent with keep-alive, ours */
  readonly dispatcher?: Dispatcher;
}

const optionChecks: OptionChecks<UndiciTransportOptions> = {
  maxResponseBytes: is.count,
  connectTimeoutMs: is.milliseconds,
  idleTimeoutMs: is.milliseconds,
  maxConnections: is.count,
  dispatcher: is.object,
};

/** @default of `maxResponseBytes` wherever it can be set. */
export const defaultMaxResponseBytes: number = 10 * 1024 * 1024;

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
  return new UndiciTransport(options);
}

class UndiciTransport implements HTTPTransport {
  readonly #options: Required<Omit<UndiciTransportOptions, 'dispatcher'>>;
  readonly #given: Dispatcher | undefined;
  readonly #own: () => Promise<Dispatcher>;
  readonly #guarded: Map<AddressGuard, Promise<Dispatcher>> = new Map();
  #agent: Dispatcher | undefined;
  readonly #running: Set<Exchange> = new Set();
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: UndiciTransportOptions) {
    checkOptions('undiciTransport', options, optionChecks);
    this.#given = options.dispatcher;
    this.#options = {
      maxResponseBytes: options.maxResponseBytes ?? defaultMaxResponseBytes,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
      maxConnections: options.maxConnections ?? 128,
    };
    this.#own = lazy(() => this.#open());
  }

  send(request: HTTPRequest): Promise<HTTPResponse> {
    return followRedirects(request, this.#exchange);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    // Not `close`: that would still connect for requests whose callers have left the line.
    const opened = [...(this.#agent ? [this.#agent] : []), ...this.#guarded.values()];
    await Promise.all(opened.map(async (agent) => (await agent).destroy()));
  }

  readonly #over = (exchange: Exchange): void => {
    if (this.#running.delete(exchange) && this.#running.size === 0) this.#idle?.();
  };

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
    const { maxConnections, connectTimeoutMs, idleTimeoutMs } = this.#options;
    const { Agent } = await loadUndici();
    const agent = new Agent({
      connections: maxConnections === Number.POSITIVE_INFINITY ? null : maxConnections,
      connect: { timeout: finite(connectTimeoutMs), ...(guard && { lookup: guard.lookup }) },
      headersTimeout: finite(idleTimeoutMs),
      bodyTimeout: finite(idleTimeoutMs),
    });
    if (!guard) this.#agent = agent;
    return agent;
  }

  readonly #exchange = async (request: HTTPRequest): Promise<HTTPResponse> => {
    const exchange = new Exchange(request, this.#options, this.#over);
    if (!exchange.stopped) {
      this.#running.add(exchange);
      await this.#dispatch(request, exchange).catch((error: unknown) => exchange.fail(error));
    }
    return exchange.response;
  };

  async #dispatch(request: HTTPRequest, exchange: Exchange): Promise<void> {
    const url = new URL(request.url);
    const { origin, pathname, search } = url;
    const given = this.#dispatcherFor(url, request);
    const dispatcher = given instanceof Promise ? await given : given;
    if (this.#closing) throw new ClosedError('the HTTP transport');
    const { body } = request;
    const options: Dispatcher.DispatchOptions = {
      origin,
      path: pathname + search,
      method: request.method as Dispatcher.HttpMethod,
      headers: { 'accept-encoding': acceptedEncodings, ...request.headers },
      body: body instanceof FormData ? await formOf(body) : wireBody(body),
    };
    dispatcher.dispatch(options, new UndiciHandler(exchange));
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
