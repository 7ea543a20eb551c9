import { SaflaError, type SpanRequest, spanKind, Telemetry, type TelemetryOptions } from '../core/index.js';
import type { HTTPAnswer } from '../drivers/http/index.js';
import type { PreparedRequest } from './prepared-request.js';

type Attributes = NonNullable<SpanRequest['attributes']>;

/** OpenTelemetry's `SpanStatusCode.ERROR`. */
const statusError = 2;

/**
 * Tells of every exchange by the OpenTelemetry conventions for HTTP clients: a span, a record of its duration
 * and a line in the log.
 */
export class ExchangeTelemetry {
  readonly #telemetry: Telemetry;

  constructor(options: TelemetryOptions) {
    this.#telemetry = new Telemetry('api', options);
  }

  /** False when nobody would hear: then there is nothing to tell. */
  get listening(): boolean {
    return this.#telemetry.listening;
  }

  /** @param send gets the headers that carry the trace on */
  observe<Answer extends Pick<HTTPAnswer, 'status'>>(
    request: PreparedRequest,
    attempt: number,
    send: (trace: Readonly<Record<string, string>>) => Promise<Answer>,
  ): Promise<Answer> {
    const { method, url, headers, subject } = request;
    const startedAt = performance.now();
    const facts = { correlationId: headers['x-correlation-id'], method, url: url.origin + url.pathname, attempt };
    return this.#telemetry.span(spanOf(request, attempt), async (span) => {
      try {
        const answer = await send(await this.#telemetry.propagation());
        const { status } = answer;
        span?.setAttribute('http.response.status_code', status);
        if (status >= 400) span?.setAttribute('error.type', String(status)).setStatus({ code: statusError });
        this.#record(request, startedAt, {
          'http.response.status_code': status,
          ...(status >= 400 && { 'error.type': String(status) }),
        });
        this.#telemetry.logger.debug({ ...facts, status, durationMs: performance.now() - startedAt }, subject);
        return answer;
      } catch (error) {
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
