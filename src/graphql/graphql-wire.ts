import { type LastExchange, lazy } from '../core/internal.js';
import { type HTTPTransport, undiciTransport } from '../drivers/http/index.js';
import { ExchangeTelemetry, type WireRequest } from './exchange-telemetry.js';
import { type Ending, type ExecutionAnswer, ExecutionClient } from './execution-client.js';
import type { GraphQLSettings } from './graphql-options.js';
import { type PlainGraphQLClient, plainClient } from './plain-client.js';

/** Moves one request and its answer, once. */
export class GraphQLWire {
  /** graphql-request over the same transport, with neither policy nor headers. */
  readonly client: () => Promise<PlainGraphQLClient>;
  readonly #execution: ExecutionClient;
  readonly #telemetry: ExchangeTelemetry;
  readonly #ownTransport: HTTPTransport | undefined;
  #last: LastExchange | undefined;

  constructor({ endpoint, transport, maxResponseBytes, telemetry }: GraphQLSettings) {
    const below = transport ?? undiciTransport();
    if (!transport) this.#ownTransport = below;
    this.client = lazy(() => plainClient(endpoint, below, maxResponseBytes));
    this.#execution = new ExecutionClient(endpoint, below, maxResponseBytes);
    this.#telemetry = new ExchangeTelemetry(endpoint, telemetry);
  }

  get last(): LastExchange | undefined {
    return this.#last;
  }

  /**
   * Sends one request. An answer of any status resolves.
   *
   * @throws ConnectionError TimeoutError ProtocolError ClosedError, or the reason of the ending
   */
  async exchange(request: WireRequest, ending: Ending, attempt = 1): Promise<ExecutionAnswer> {
    try {
      const answer = this.#telemetry.listening
        ? await this.#telemetry.observe(request, attempt, (trace) =>
            this.#execution.execute({ ...request, headers: { ...request.headers, ...trace } }, ending),
          )
        : await this.#execution.execute(request, ending);
      this.#last = { at: Date.now(), status: answer.status };
      return answer;
    } catch (error) {
      if (!ending.cancelled) this.#last = { at: Date.now() };
      throw error;
    }
  }

  /** Closes the transport if it is ours. */
  async close(): Promise<void> {
    await this.#ownTransport?.close();
  }
}
