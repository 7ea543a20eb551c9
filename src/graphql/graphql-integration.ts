import {
  type CallOptions,
  type CallScope,
  type Closeable,
  ClosedError,
  type CloseOptions,
  compose,
  type Health,
  type HealthCheck,
  Lifecycle,
  openScope,
  type StandardSchemaV1,
  ValidationError,
  validate,
} from '../core/index.js';
import { activeHealth, checkOptions, passiveHealth } from '../core/internal.js';
import type { PolicyStats } from '../resilience/index.js';
import { DocumentMemo } from './document-memo.js';
import {
  callChecks,
  type GraphQLAnswer,
  type GraphQLCall,
  type GraphQLCallOptions,
  type GraphQLRawResult,
  type GraphQLRequestOptions,
  type GraphQLResult,
  requestChecks,
} from './graphql-call.js';
import type { GraphQLArguments, GraphQLDocument, GraphQLVariables } from './graphql-document.js';
import { type GraphQLIntegrationOptions, type GraphQLSettings, settingsOf } from './graphql-options.js';
import { GraphQLWire } from './graphql-wire.js';
import type { GraphQLHeaders } from './header-source.js';
import { OperationRunner } from './operation-runner.js';
import type { PlainGraphQLClient } from './plain-client.js';
import { type GraphQLPaginateOptions, paginateChecks, relayPages } from './relay-pages.js';
import type { Subscription } from './subscription.js';
import { type SubscribeOptions, type SubscriptionStats, Subscriptions, subscribeChecks } from './subscriptions.js';

/** Counters of a {@link GraphQLIntegration}. */
export interface GraphQLStats {
  /** Calls, attempts and failures, the state of the circuit and the limiter. Shared with whoever shares the policy. */
  readonly policy: PolicyStats;
  /** Documents that are held parsed. */
  readonly documents: number;
  /** Calls that got the answer of another one under way. */
  readonly shared: number;
  /** How often the headers were asked for again after a 401. */
  readonly headerRefreshes: number;
  readonly subscriptions: SubscriptionStats;
}

/** One operation of a batch. */
export interface GraphQLBatchedOperation {
  readonly document: GraphQLDocument;
  readonly variables?: object;
  readonly operationName?: string;
}

/** Calls without options are the most: there is nothing to check. */
const none: GraphQLRequestOptions = {};

/** {@link GraphQLRequestOptions} with the schema that gives the answer its type. */
export type GraphQLSchemaOptions<S extends StandardSchemaV1> = GraphQLRequestOptions & { readonly schema: S };

/**
 * A GraphQL API as one object: typed documents, parsed once; retries and sharing for queries, deadlines and
 * cancellation for everything, errors that hold nothing of what was sent.
 *
 * @throws ConfigurationError for any wrong or unknown option
 * @example
 * await using shop = new GraphQLIntegration({ endpoint: 'https://shop.example/graphql', headers: () => ({ authorization: token() }) });
 * const { user } = await shop.query(GetUser, { id: '7' }, { timeoutMs: 2_000 });
 */
export class GraphQLIntegration implements Closeable, HealthCheck {
  readonly #settings: GraphQLSettings;
  readonly #documents: DocumentMemo = new DocumentMemo();
  readonly #wire: GraphQLWire;
  readonly #runner: OperationRunner;
  readonly #subscriptions: Subscriptions;
  readonly #lifecycle: Lifecycle;

  constructor(endpoint: string, headers?: GraphQLHeaders);
  constructor(options: GraphQLIntegrationOptions);
  constructor(first: string | GraphQLIntegrationOptions, headers?: GraphQLHeaders) {
    // An address that is missing is the positional form with a variable that was not set.
    const positional = typeof first !== 'object' || first instanceof URL;
    this.#settings = settingsOf(positional ? { endpoint: first, ...(headers && { headers }) } : first);
    this.#wire = new GraphQLWire(this.#settings);
    this.#runner = new OperationRunner(this.#settings, this.#documents, this.#wire);
    this.#subscriptions = new Subscriptions(this.#settings, this.#documents);
    this.#lifecycle = new Lifecycle(`GraphQLIntegration '${this.#settings.name}'`);
  }

  get name(): string {
    return this.#settings.name;
  }

  /** graphql-request over the same transport, loaded on first use. Its requests have neither headers nor policy. */
  get client(): Promise<PlainGraphQLClient> {
    return this.#wire.client();
  }

  /**
   * The data of a query. It is repeated after failures that may pass, and shared with callers who ask the
   * same at the same time. With a `schema`, it is the schema's output.
   *
   * @throws GraphQLRequestError for errors of the server; HTTPError for an answer that is not GraphQL and has a
   * status outside 200-299; ValidationError for a document, variables or headers that cannot be sent, and for
   * documents that are no query; ConnectionError TimeoutError CircuitOpenError RateLimitError QueueFullError
   * ProtocolError ClosedError, or `signal.reason`
   */
  query<S extends StandardSchemaV1>(
    document: GraphQLDocument,
    variables: object | undefined,
    options: GraphQLSchemaOptions<S>,
  ): Promise<StandardSchemaV1.InferOutput<S>>;
  query<TData = unknown, TVariables extends object = GraphQLVariables>(
    document: GraphQLDocument<TData, TVariables>,
    ...rest: GraphQLArguments<TVariables, GraphQLRequestOptions>
  ): Promise<TData>;
  query(document: GraphQLDocument, variables?: object, options?: GraphQLRequestOptions): Promise<unknown> {
    return this.#data('query', document, variables, options);
  }

  /** The data of a mutation. It is sent once, also when its answer is lost, unless it has an `idempotencyKey`. Rejects like {@link query}. */
  mutation<S extends StandardSchemaV1>(
    document: GraphQLDocument,
    variables: object | undefined,
    options: GraphQLSchemaOptions<S>,
  ): Promise<StandardSchemaV1.InferOutput<S>>;
  mutation<TData = unknown, TVariables extends object = GraphQLVariables>(
    document: GraphQLDocument<TData, TVariables>,
    ...rest: GraphQLArguments<TVariables, GraphQLRequestOptions>
  ): Promise<TData>;
  mutation(document: GraphQLDocument, variables?: object, options?: GraphQLRequestOptions): Promise<unknown> {
    return this.#data('mutation', document, variables, options);
  }

  /**
   * A query or mutation with all that came back: data, errors under the error policy `all`, extensions,
   * status and headers. Rejects like {@link query}.
   */
  async raw<TData = unknown, TVariables extends object = GraphQLVariables>(
    document: GraphQLDocument<TData, TVariables>,
    ...[variables, options = {}]: GraphQLArguments<TVariables, Omit<GraphQLRequestOptions, 'schema'>>
  ): Promise<GraphQLRawResult<TData | null>> {
    checkOptions('raw', options, requestChecks);
    const { operationName, ...bounds } = options;
    const call = { ...bounds, operations: [{ document, variables, operationName }], batched: false };
    const { results, ...facts } = await this.#call('raw', call);
    return { ...(results[0] as GraphQLResult<TData | null>), ...facts };
  }

  /**
   * Several operations in one HTTP request, as an array, which not every server takes. The results are in
   * the order of the operations. Repeated like a query when all of them are queries. Under the error
   * policy `all` each result has its own errors; under the others the first failed operation rejects.
   */
  async batch(
    operations: readonly GraphQLBatchedOperation[],
    options: GraphQLCallOptions = {},
  ): Promise<GraphQLResult[]> {
    checkOptions('batch', options, callChecks);
    if (!Array.isArray(operations))
      throw new ValidationError('batch', [{ path: [], message: 'must be an array of operations' }]);
    const { results } = await this.#call('batch', { ...options, operations, batched: true });
    return [...results];
  }

  /**
   * The nodes of a Relay connection, page after page; the next page is asked for when the last was read.
   * Each page is a {@link query} with the options given.
   *
   * @throws ProtocolError when a cursor comes again
   * @example for await (const order of shop.paginate(Orders, { first: 50 }, { connection: (data) => data.orders })) print(order);
   */
  paginate<TData, TVariables extends object, TNode>(
    document: GraphQLDocument<TData, TVariables>,
    variables: NoInfer<TVariables>,
    options: GraphQLPaginateOptions<TData, TNode>,
  ): AsyncGenerator<TNode, void, undefined> {
    checkOptions('paginate', options as GraphQLPaginateOptions<unknown, unknown>, paginateChecks);
    const { connection: _, direction: __, cursorVariable: ___, maxPages: ____, ...settings } = options;
    const load = (cursor: GraphQLVariables): Promise<TData> =>
      this.#data('query', document, { ...variables, ...cursor }, settings) as Promise<TData>;
    return relayPages(load, options);
  }

  /**
   * The events of a subscription, one connection for all of them. It begins with the first event that is
   * asked for and ends when the loop is left, by `signal` or `timeoutMs`, by the surrounding context, or with
   * `close()`. A lost connection is opened and subscribed again; events between the two are gone.
   *
   * @throws GraphQLRequestError for errors of the server; AccessDeniedError for refused credentials;
   * ConnectionError ProtocolError QueueFullError ValidationError TimeoutError ClosedError, or `signal.reason`
   * @example for await (const { priceChanged } of shop.subscribe(PriceChanged, { sku }, { signal })) show(priceChanged);
   */
  subscribe<TData = unknown, TVariables extends object = GraphQLVariables>(
    document: GraphQLDocument<TData, TVariables>,
    ...[variables, options = {}]: GraphQLArguments<TVariables, SubscribeOptions>
  ): AsyncIterableIterator<TData, undefined> & AsyncDisposable {
    checkOptions('subscribe', options, subscribeChecks);
    this.#lifecycle.assertOpen();
    return this.#subscriptions.open(document, variables, options) as Subscription<TData>;
  }

  /** From the circuit and the last answer; with `healthQuery` by asking it now. Never rejects. */
  async health(options: CallOptions = {}): Promise<Health> {
    const { endpoint, policy, healthQuery } = this.#settings;
    if (this.#lifecycle.closed) return { status: 'fail', output: 'closed' };
    const passive = passiveHealth(policy.circuit(endpoint.origin), this.#wire.last);
    if (healthQuery === undefined) return passive;
    const ask = async (bounds: CallOptions): Promise<undefined> => {
      await this.#lifecycle.call(`health of ${this.name}`, bounds, (scope) => this.#runner.probe(healthQuery, scope));
    };
    return activeHealth(ask, options, passive);
  }

  stats(): GraphQLStats {
    const { policy, headers } = this.#settings;
    return {
      policy: policy.stats(),
      documents: this.#documents.size,
      shared: this.#runner.shared,
      headerRefreshes: headers.refreshes,
      subscriptions: this.#subscriptions.stats(),
    };
  }

  /** Refuses new calls, lets running ones finish until the deadline, then cancels them; ends subscriptions. A given transport stays open. */
  async close(options: CloseOptions = {}): Promise<void> {
    const owner = `GraphQLIntegration '${this.name}'`;
    // They would run on without end.
    this.#subscriptions.abort(new ClosedError(owner));
    await this.#lifecycle.close(options, async (remainingMs) => {
      await Promise.all([this.#subscriptions.close(owner, remainingMs), this.#wire.close()]);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #data(
    kind: 'query' | 'mutation',
    document: unknown,
    variables: object | undefined,
    options: GraphQLRequestOptions = none,
  ): Promise<unknown> {
    if (options !== none) checkOptions(kind, options, requestChecks);
    const { operationName, schema, ...bounds } = options;
    const errorPolicy = (bounds.errorPolicy ?? this.#settings.errorPolicy) === 'none' ? 'none' : 'ignore';
    const call = {
      ...bounds,
      errorPolicy,
      operations: [{ kind, document, variables, operationName }],
      batched: false,
    } as const;
    const { results } = await this.#call(kind, call);
    const data = results[0]?.data;
    return schema ? validate(schema, data, `data of the ${kind}`) : data;
  }

  /** Runs a call inside its scope and the middleware. The time of the policy bounds all of it, the headers too. */
  #call(subject: string, call: GraphQLCall): Promise<GraphQLAnswer> {
    const { use, policy, name } = this.#settings;
    return this.#lifecycle.call(`${subject} at ${name}`, policy.scopeOptions(call), (scope) =>
      use.length === 0 ? this.#runner.run(call, scope) : this.#throughLayers(call, scope),
    );
  }

  /** Layers see, and may replace, what bounds the call in time; it stays within the scope. */
  #throughLayers(call: GraphQLCall, scope: CallScope): Promise<GraphQLAnswer> {
    const { use, policy, name } = this.#settings;
    const run = compose<GraphQLCall, GraphQLAnswer>(use, async (changed) => {
      if (changed.signal === scope.signal && changed.timeoutMs === call.timeoutMs)
        return this.#runner.run(changed, scope);
      using own = openScope(`call at ${name}`, { ...policy.scopeOptions(changed), parents: [scope] });
      return await own.run(() => this.#runner.run(changed, own));
    });
    return run({ ...call, signal: scope.signal });
  }
}
