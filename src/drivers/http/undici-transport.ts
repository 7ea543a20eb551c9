import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { UnsupportedError } from '../../core/index.js';
import { checkOptions, is, lazy, type OptionChecks } from '../../core/internal.js';
import { acceptedEncodings } from './content-coding.js';
import { type Exchange, subjectOf } from './exchange.js';
import type { HTTPRequest, HTTPTransport } from './transport.js';
import { limitsOf, type TransportOptions, transportChecks } from './transport-options.js';
import { UndiciAgents } from './undici-agents.js';
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
  #agents: UndiciAgents | undefined;

  constructor(options: UndiciTransportOptions) {
    const { maxConnections, ...limits } = limitsOf(options);
    super(limits);
    this.#given = options.dispatcher;
    this.#maxConnections = maxConnections;
  }

  protected override async dispatch(request: HTTPRequest, exchange: Exchange): Promise<void> {
    const url = new URL(request.url);
    const { origin, pathname, search } = url;
    const guard = request.guardFor?.(url);
    guard?.check(url);
    if (guard && this.#given) {
      throw new UnsupportedError(
        `${subjectOf(request)}: addresses cannot be checked through a dispatcher of your own; use a transport without one for other origins`,
      );
    }
    const { body } = request;
    const options: Dispatcher.DispatchOptions = {
      origin,
      path: pathname + search,
      method: request.method as Dispatcher.HttpMethod,
      headers: { 'accept-encoding': acceptedEncodings, ...request.headers },
      body: body instanceof FormData ? await formOf(body) : wireBody(body),
    };
    const agents = this.#given ?? this.#agents ?? (await this.#load());
    this.assertOpen();
    if (exchange.stopped) return;
    const dispatcher = agents instanceof UndiciAgents ? agents.for(guard) : agents;
    dispatcher.dispatch(options, new UndiciHandler(exchange));
  }

  protected override async release(): Promise<void> {
    await this.#agents?.destroy();
  }

  async #load(): Promise<UndiciAgents> {
    const undici = await loadUndici();
    this.#agents ??= new UndiciAgents(undici, this.limits, this.#maxConnections);
    return this.#agents;
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
