import type { GraphQLClient } from 'graphql-request';
import { SaflaError, type SpanRequest, spanKind, Telemetry } from '../core/index.js';
import { lazy } from '../core/internal.js';
import { type HTTPTransport, undiciTransport } from '../drivers/http/index.js';
import { createClient, type ExecutionAnswer, ExecutionClient, type ExecutionRequest } from './execution-client.js';
import type { GraphQLSettings } from './graphql-options.js';
import { transportFetch } from './transport-fetch.js';

/** One request, ready to go. */
export interface WireRequest extends ExecutionRequest {
  /** `query`, `mutation`, or `batch`. */
  readonly type: string;
  /** Of a single operation that has one. */
  readonly operationName: string | undefined;
}

/** How the last exchange ended. */
export interface LastExchange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Absent when no answer came. */
  readonly status?: number;
}

type Attributes = NonNullable<SpanRequest['attributes']>;

/** OpenTelemetry's `SpanStatusCode.ERROR`. */
const statusError = 2;

/** Moves one request and its answer, once, inside a client span after the OpenTelemetry conventions for GraphQL and HTTP. */
export class GraphQLWire {
  /** graphql-request over the same transport, with neither policy nor headers. */
  readonly client: () => Promise<GraphQLClient>;
  readonly #execution: ExecutionClient;
  readonly #telemetry: Telemetry;
  readonly #target: Attributes;
  readonly #url: string;
  readonly #ownTransport: HTTPTransport | undefined;
  #last: LastExchange | undefined;

  constructor({ endpoint, transport, maxResponseBytes, telemetry }: GraphQLSettings) {
    const below = transport ?? undiciTransport();
    if (!transport) this.#ownTransport = below;
    const send = transportFetch(below, maxResponseBytes);
    this.client = lazy(() => createClient(endpoint, send));
    this.#execution = new ExecutionClient(endpoint, send);
    this.#telemetry = new Telemetry('graphql', telemetry);
    this.#url = endpoint.origin + endpoint.pathname;
    this.#target = {
      'http.request.method': 'POST',
      'server.address': endpoint.hostname,
      'server.port': Number(endpoint.port) || (endpoint.protocol === 'https:' ? 443 : 80),
    };
  }

  get last(): LastExchange | undefined {
    return this.#last;
  }

  /**
   * Sends one request. An answer of any status resolves.
   *
   * @throws ConnectionError TimeoutError ProtocolError ClosedError, or the signal's reason
   */
  async exchange(request: WireRequest, signal: AbortSignal, attempt = 1): Promise<ExecutionAnswer> {
    const { subject, type, operationName, headers } = request;
    const startedAt = performance.now();
    const facts = { type, operationName, attempt, correlationId: headers['x-correlation-id'] };
    return this.#telemetry.span(this.#spanOf(request, attempt), async (span) => {
      try {
        const traced = { ...request, headers: { ...headers, ...(await this.#telemetry.propagation()) } };
        const answer = await this.#execution.execute(traced, signal);
        const { status } = answer;
        const failure = failureType(answer);
        this.#last = { at: Date.now(), status };
        span?.setAttribute('http.response.status_code', status);
        if (failure) span?.setAttribute('error.type', failure).setStatus({ code: statusError });
        this.#record(startedAt, { 'http.response.status_code': status, ...(failure && { 'error.type': failure }) });
        this.#telemetry.logger.debug({ ...facts, status, durationMs: performance.now() - startedAt }, subject);
        return answer;
      } catch (error) {
        if (!signal.aborted) this.#last = { at: Date.now() };
        this.#record(startedAt, { 'error.type': SaflaError.is(error) ? error.code : 'aborted' });
        this.#telemetry.logger.debug({ ...facts, durationMs: performance.now() - startedAt, error }, subject);
        throw error;
      }
    });
  }

  /** Closes the transport if it is ours. */
  async close(): Promise<void> {
    await this.#ownTransport?.close();
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
