import { SaflaError, type SpanRequest, spanKind, Telemetry } from '../core/index.js';
import { lazy } from '../core/internal.js';
import {
  type AxiosInstance,
  createAxios,
  defaultMaxResponseBytes,
  exchangeByAxios,
  type HTTPAnswer,
  type HTTPTransport,
  undiciTransport,
} from '../drivers/http/index.js';
import type { APISettings } from './api-options.js';
import type { PreparedRequest } from './prepared-request.js';

type Attributes = NonNullable<SpanRequest['attributes']>;

/** How the last exchange ended. */
export interface LastExchange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Absent when no answer came. */
  readonly status?: number;
}

/** OpenTelemetry's `SpanStatusCode.ERROR`. */
const statusError = 2;

/**
 * Moves one request and its answer, once: the axios instance with the transport below it, and around them
 * a client span after the OpenTelemetry conventions for HTTP.
 */
export class Wire {
  /** The axios instance, made on first use unless one was given. */
  readonly client: () => Promise<AxiosInstance>;
  readonly #telemetry: Telemetry;
  readonly #maxResponseBytes: number | undefined;
  #ownTransport: HTTPTransport | undefined;
  #last: LastExchange | undefined;

  constructor({ client, transport, base, reach, maxResponseBytes, telemetry }: APISettings) {
    this.#telemetry = new Telemetry('api', telemetry);
    // A ready client has no limit by default, a transport has its own.
    this.#maxResponseBytes = maxResponseBytes ?? (client ? defaultMaxResponseBytes : undefined);
    if (client) {
      this.client = async () => client;
    } else {
      const below = transport ?? undiciTransport();
      if (!transport) this.#ownTransport = below;
      this.client = lazy(() =>
        createAxios(below, {
          baseURL: base.href,
          mayFollow: (target, from) => reach.mayFollow(target, from),
          guardFor: (url) => reach.guardFor(url),
        }),
      );
    }
  }

  get last(): LastExchange | undefined {
    return this.#last;
  }

  /** Sends the request and reads the answer, whatever its status. Rejects with typed errors only. */
  async exchange(request: PreparedRequest, signal: AbortSignal, attempt = 1): Promise<HTTPAnswer> {
    const { method, url, headers, body, subject } = request;
    const client = await this.client();
    const startedAt = performance.now();
    const facts = { correlationId: headers['x-correlation-id'], method, url: url.origin + url.pathname, attempt };
    return this.#telemetry.span(spanOf(request, attempt), async (span) => {
      try {
        const answer = await exchangeByAxios(client, {
          method,
          url: url.href,
          headers: { ...headers, ...(await this.#telemetry.propagation()) },
          body: body.content,
          signal,
          maxResponseBytes: this.#maxResponseBytes,
        });
        const { status } = answer;
        this.#last = { at: Date.now(), status };
        span?.setAttribute('http.response.status_code', status);
        if (status >= 400) span?.setAttribute('error.type', String(status)).setStatus({ code: statusError });
        this.#record(request, startedAt, {
          'http.response.status_code': status,
          ...(status >= 400 && { 'error.type': String(status) }),
        });
        this.#telemetry.logger.debug({ ...facts, status, durationMs: performance.now() - startedAt }, subject);
        return answer;
      } catch (error) {
        if (!signal.aborted) this.#last = { at: Date.now() };
        this.#record(request, startedAt, { 'error.type': SaflaError.is(error) ? error.code : 'aborted' });
        this.#telemetry.logger.debug({ ...facts, durationMs: performance.now() - startedAt, error }, subject);
        throw error;
      }
    });
  }

  /** `http.client.request.duration`, the conventions' one required metric of an HTTP client. */
  #record(request: PreparedRequest, startedAt: number, outcome: Attributes): void {
    const attributes = { ...targetOf(request), ...outcome };
    this.#telemetry.duration('http.client.request.duration', performance.now() - startedAt, attributes);
  }

  /** Closes the transport if it is ours. */
  async close(): Promise<void> {
    await this.#ownTransport?.close();
  }
}

function spanOf(request: PreparedRequest, attempt: number): SpanRequest {
  const { method, url, headers } = request;
  return {
    name: method,
    kind: spanKind.client,
    attributes: {
      ...targetOf(request),
      'url.full': withoutValues(url),
      'safla.correlation_id': headers['x-correlation-id'] ?? '',
      ...(attempt > 1 ? { 'http.request.resend_count': attempt - 1 } : {}),
    },
  };
}

/** The attributes that spans and metrics share. */
function targetOf({ method, url }: PreparedRequest): Attributes {
  return {
    'http.request.method': method,
    'server.address': url.hostname,
    'server.port': Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
  };
}

/** The URL with its query's values masked: any of them can be a secret or personal. */
function withoutValues(url: URL): string {
  const names = [...url.searchParams.keys()].map((name) => `${encodeURIComponent(name)}=REDACTED`);
  return url.origin + url.pathname + (names.length > 0 ? `?${names.join('&')}` : '');
}
