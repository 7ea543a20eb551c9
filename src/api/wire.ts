import { type LastExchange, lazy } from '../core/internal.js';
import {
  type AxiosInstance,
  type Cancellation,
  createAxios,
  defaultMaxResponseBytes,
  exchangeByAxios,
  exchangeByTransport,
  type HTTPAnswer,
  type HTTPRequest,
  type HTTPResponse,
  type HTTPTransport,
  openByAxios,
} from '../drivers/http/index.js';
import type { APISettings } from './api-options.js';
import { ExchangeTelemetry } from './exchange-telemetry.js';
import type { PreparedRequest } from './prepared-request.js';

/** What an exchange ends with. */
export interface Ending extends Cancellation {
  /** Made when first read. */
  readonly signal: AbortSignal;
}

/**
 * Moves one request and its answer, once. As long as nobody has asked for the axios instance, which may
 * have been changed from then on, requests go to the transport itself.
 */
export class Wire {
  readonly #telemetry: ExchangeTelemetry;
  readonly #maxResponseBytes: number | undefined;
  readonly #bounds: Required<Pick<HTTPRequest, 'mayFollow' | 'guardFor'>>;
  readonly #makeClient: () => Promise<AxiosInstance>;
  readonly #exchange: (request: HTTPRequest) => Promise<HTTPAnswer>;
  readonly #open: (request: HTTPRequest) => Promise<HTTPResponse>;
  #client: Promise<AxiosInstance> | undefined;
  #ownTransport: HTTPTransport | undefined;
  #last: LastExchange | undefined;

  constructor(settings: APISettings) {
    const { client, base, reach, maxResponseBytes } = settings;
    this.#telemetry = new ExchangeTelemetry(settings.telemetry);
    // A ready client has no limit by default, a transport has its own.
    this.#maxResponseBytes = maxResponseBytes ?? (client ? defaultMaxResponseBytes : undefined);
    this.#bounds = {
      mayFollow: (target, from) => reach.mayFollow(target, from),
      guardFor: (url) => reach.guardFor(url),
    };
    if (client) {
      this.#client = Promise.resolve(client);
      this.#makeClient = () => Promise.resolve(client);
      this.#exchange = (request) => exchangeByAxios(client, request);
      this.#open = (request) => openByAxios(client, request);
    } else {
      const { transport, ownsTransport } = settings;
      if (ownsTransport) this.#ownTransport = transport;
      this.#makeClient = lazy(() => createAxios(transport, base.href, this.#bounds));
      this.#exchange = async (request) =>
        this.#client ? exchangeByAxios(await this.#client, request) : exchangeByTransport(transport, request);
      this.#open = async (request) =>
        this.#client ? openByAxios(await this.#client, request) : transport.send(request);
    }
  }

  get last(): LastExchange | undefined {
    return this.#last;
  }

  /** The axios instance, made on first use unless one was given. From then on every request goes through it. */
  async client(): Promise<AxiosInstance> {
    this.#client = this.#makeClient();
    return this.#client;
  }

  /** The axios instance that requests go through; undefined as long as they go to the transport itself. */
  clientInUse(): Promise<AxiosInstance> | undefined {
    return this.#client;
  }

  /** Sends the request and reads the answer, whatever its status. Rejects with typed errors only. */
  async exchange(request: PreparedRequest, ending: Ending, attempt = 1): Promise<HTTPAnswer> {
    try {
      const answer = this.#telemetry.listening
        ? await this.#telemetry.observe(request, attempt, (trace) => this.#send(request, ending, trace))
        : await this.#send(request, ending);
      this.#last = { at: Date.now(), status: answer.status };
      return answer;
    } catch (error) {
      if (!ending.cancelled) this.#last = { at: Date.now() };
      throw error;
    }
  }

  /** {@link exchange} up to the head of the answer. The request goes on until `signal` ends it or the body is read. */
  async open(request: PreparedRequest, signal: AbortSignal, maxBytes: number, attempt: number): Promise<HTTPResponse> {
    const { method, url, headers, body } = request;
    const send = async (trace: Readonly<Record<string, string>>): Promise<HTTPResponse> =>
      this.#open({
        method,
        url: url.href,
        headers: { ...headers, ...trace },
        body: body.content,
        signal,
        maxResponseBytes: maxBytes,
        ...this.#bounds,
      });
    const response = this.#telemetry.listening ? await this.#telemetry.observe(request, attempt, send) : await send({});
    this.#last = { at: Date.now(), status: response.status };
    return response;
  }

  /** Closes the transport if it is ours. */
  async close(): Promise<void> {
    await this.#ownTransport?.close();
  }

  #send(
    { method, url, headers, body }: PreparedRequest,
    ending: Ending,
    trace?: Readonly<Record<string, string>>,
  ): Promise<HTTPAnswer> {
    const { mayFollow, guardFor } = this.#bounds;
    return this.#exchange({
      method,
      url: url.href,
      headers: trace ? { ...headers, ...trace } : headers,
      body: body.content,
      cancellation: ending,
      maxResponseBytes: this.#maxResponseBytes,
      mayFollow,
      guardFor,
      get signal() {
        return ending.signal;
      },
    });
  }
}
