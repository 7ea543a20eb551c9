import { SaflaError, type SpanRequest, spanKind, Telemetry, type TelemetryOptions } from '../core/index.js';
import type { ExecutionAnswer, ExecutionRequest } from './execution-client.js';

/** One request, ready to go. */
export interface WireRequest extends ExecutionRequest {
  /** `query`, `mutation`, or `batch`. */
  readonly type: string;
  /** Of a single operation that has one. */
  readonly operationName: string | undefined;
}

type Attributes = NonNullable<SpanRequest['attributes']>;

/** OpenTelemetry's `SpanStatusCode.ERROR`. */
const statusError = 2;

/**
 * Tells of every exchange by the OpenTelemetry conventions for GraphQL and HTTP clients: a span, a record of
 * its duration and a line in the log. Documents and variables are in none of them.
 */
export class ExchangeTelemetry {
  readonly #telemetry: Telemetry;
  readonly #target: Attributes;
  readonly #url: string;

  constructor(endpoint: URL, options: TelemetryOptions) {
    this.#telemetry = new Telemetry('graphql', options);
    this.#url = endpoint.origin + endpoint.pathname;
    this.#target = {
      'http.request.method': 'POST',
      'server.address': endpoint.hostname,
      'server.port': Number(endpoint.port) || (endpoint.protocol === 'https:' ? 443 : 80),
    };
  }

  /** False when nobody would hear: then there is nothing to tell. */
  get listening(): boolean {
    return this.#telemetry.listening;
  }

  /** @param send gets the headers that carry the trace on */
  observe(
    request: WireRequest,
    attempt: number,
    send: (trace: Readonly<Record<string, string>>) => Promise<ExecutionAnswer>,
  ): Promise<ExecutionAnswer> {
    const { subject, type, operationName, headers } = request;
    const startedAt = performance.now();
    const facts = { type, operationName, attempt, correlationId: headers['x-correlation-id'] };
    return this.#telemetry.span(this.#spanOf(request, attempt), async (span) => {
      try {
        const answer = await send(await this.#telemetry.propagation());
        const { status } = answer;
        const failure = failureType(answer);
        span?.setAttribute('http.response.status_code', status);
        if (failure) span?.setAttribute('error.type', failure).setStatus({ code: statusError });
        this.#record(startedAt, { 'http.response.status_code': status, ...(failure && { 'error.type': failure }) });
        this.#telemetry.logger.debug({ ...facts, status, durationMs: performance.now() - startedAt }, subject);
        return answer;
      } catch (error) {
        this.#record(startedAt, { 'error.type': SaflaError.is(error) ? error.code : 'aborted' });
        this.#telemetry.logger.debug({ ...facts, durationMs: performance.now() - startedAt, error }, subject);
        throw error;
      }
    });
  }

  #spanOf({ headers, type, operationName }: WireRequest, attempt: number): SpanRequest {
    return {
      name: type,
      kind: spanKind.client,
      attributes: {
        ...this.#target,
        'url.full': this.#url,
        ...(type !== 'batch' && { 'graphql.operation.type': type }),
        ...(operationName !== undefined && { 'graphql.operation.name': operationName }),
        'safla.correlation_id': headers['x-correlation-id'] ?? '',
        ...(attempt > 1 && { 'http.request.resend_count': attempt - 1 }),
      },
    };
  }

  /** `http.client.request.duration`, the conventions' one required metric of an HTTP client. */
  #record(startedAt: number, outcome: Attributes): void {
    const attributes = { ...this.#target, ...outcome };
    this.#telemetry.duration('http.client.request.duration', performance.now() - startedAt, attributes);
  }
}

/** The status, or that the answer has errors, or undefined when it has neither. */
function failureType({ status, results }: ExecutionAnswer): string | undefined {
  if (!results) return String(status);
  return results.some(({ errors }) => errors !== undefined) ? 'GRAPHQL_REQUEST' : undefined;
}
