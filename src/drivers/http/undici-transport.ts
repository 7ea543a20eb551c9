import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { ClosedError, UnsupportedError } from '../../core/index.js';
import { checkOptions, is, lazy, type OptionChecks } from '../../core/internal.js';
import type { AddressGuard } from './guard/index.js';
import { maxRedirects, redirected } from './redirect.js';
import { acceptedEncodings, decodedBody, isDecodable, tooLarge } from './response-body.js';
import type { HTTPHeaders, HTTPRequest, HTTPResponse, HTTPTransport } from './transport.js';
import { type WireContext, wireFailure } from './wire-failure.js';

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
  #opened = false;
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

  async send(request: HTTPRequest): Promise<HTTPResponse> {
    let current = request;
    for (let followed = 0; ; followed++) {
      const { answer, context } = await this.#request(current);
      const headers = answer.headers as HTTPHeaders;
      const next = followed < maxRedirects ? redirected(current, answer.statusCode, headers) : undefined;
      if (!next) return this.#toResponse(current, answer, context);
      // Drained, the connection can be used again.
      await answer.body.dump().catch(() => undefined);
      current = next;
    }
  }

  close(): Promise<void> {
    const opened = [...(this.#opened ? [this.#own()] : []), ...this.#guarded.values()];
    this.#closing ??= Promise.all(opened.map(async (agent) => (await agent).close())).then(() => undefined);
    return this.#closing;
  }

  /** What sends a request. A guarded one has connections of its own: those that were opened unguarded prove nothing. */
  #dispatcherFor(url: URL, { guardFor }: HTTPRequest, subject: string): Dispatcher | Promise<Dispatcher> {
    const guard = guardFor?.(url);
    if (!guard) return this.#given ?? this.#own();
    guard.check(url);
    if (this.#given) {
      throw new UnsupportedError(
        `${subject}: addresses cannot be checked through a dispatcher of your own; use a transport without one for other origins`,
      );
    }
    const agent = this.#guarded.get(guard) ?? this.#open(guard);
    this.#guarded.set(guard, agent);
    return agent;
  }

  async #open(guard?: AddressGuard): Promise<Dispatcher> {
    const { maxConnections, connectTimeoutMs, idleTimeoutMs } = this.#options;
    const { Agent } = await loadUndici();
    if (!guard) this.#opened = true;
    return new Agent({
      connections: maxConnections === Number.POSITIVE_INFINITY ? null : maxConnections,
      connect: { timeout: finite(connectTimeoutMs), ...(guard && { lookup: guard.lookup }) },
      headersTimeout: finite(idleTimeoutMs),
      bodyTimeout: finite(idleTimeoutMs),
    });
  }

  async #request(request: HTTPRequest): Promise<{ answer: Dispatcher.ResponseData; context: WireContext }> {
    request.signal?.throwIfAborted();
    const url = new URL(request.url);
    const { origin, pathname, search } = url;
    const context = { ...this.#options, subject: `${request.method} ${origin}${pathname}` };
    try {
      const dispatcher = await this.#dispatcherFor(url, request, context.subject);
      if (this.#closing) throw new ClosedError('the HTTP transport');
      const answer = await dispatcher.request({
        origin,
        path: pathname + search,
        method: request.method as Dispatcher.HttpMethod,
        headers: { 'accept-encoding': acceptedEncodings, ...request.headers },
        body: await wireBody(request.body),
        signal: request.signal ?? null,
      });
      return { answer, context };
    } catch (error) {
      request.signal?.throwIfAborted();
      throw wireFailure(error, context);
    }
  }

  #toResponse(request: HTTPRequest, answer: Dispatcher.ResponseData, context: WireContext): HTTPResponse {
    const { statusCode: status, body: raw } = answer;
    const {
      'content-encoding': encoding,
      'content-length': length,
      ...rest
    } = answer.headers as Record<string, string>;
    const maxBytes = request.maxResponseBytes ?? this.#options.maxResponseBytes;
    const hasBody = request.method !== 'HEAD' && status !== 204 && status !== 304;
    if (hasBody && Number(length) > maxBytes) {
      raw.on('error', () => undefined).destroy();
      throw tooLarge(context.subject, maxBytes);
    }
    const decodable = hasBody && isDecodable(encoding);
    // Once unpacked, the two fields would describe something the caller does not get.
    const headers = decodable ? rest : (answer.headers as HTTPHeaders);
    const facts = { subject: context.subject, encoding: decodable ? encoding : undefined, maxBytes };
    return { status, headers, body: reported(decodedBody(raw, facts), request.signal, context) };
  }
}

/** The body with its failures told as ours. */
async function* reported(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  context: WireContext,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    signal?.throwIfAborted();
    throw wireFailure(error, context);
  }
}

type WireBody = Exclude<Dispatcher.RequestOptions['body'], undefined>;

/** undici encodes forms of its own FormData only; it measures them, and says their boundary itself. */
async function wireBody(body: HTTPRequest['body']): Promise<WireBody> {
  if (body === undefined) return null;
  if (body instanceof FormData) {
    const form = new (await loadUndici()).FormData();
    for (const [name, value] of body) {
      if (typeof value === 'string') form.append(name, value);
      else form.append(name, value, value.name);
    }
    return form;
  }
  const known = typeof body === 'string' || body instanceof Uint8Array || body instanceof Readable;
  // undici takes a Blob by its shape, which its types do not say.
  if (known || body instanceof Blob) return body as Readable;
  return Readable.from(body as AsyncIterable<Uint8Array>, { objectMode: false });
}

/** undici writes "no limit" as 0. */
function finite(ms: number): number {
  return ms === Number.POSITIVE_INFINITY ? 0 : ms;
}
