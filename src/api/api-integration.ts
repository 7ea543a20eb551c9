import {
  type CallOptions,
  type CallScope,
  type Closeable,
  type CloseOptions,
  compose,
  type Health,
  type HealthCheck,
  Lifecycle,
  openScope,
  type StandardSchemaV1,
  systemClock,
  UnsupportedError,
  validate,
} from '../core/index.js';
import { activeHealth, checkOptions, passiveHealth } from '../core/internal.js';
import { type AxiosInstance, HTTPError } from '../drivers/http/index.js';
import type { PolicyStats } from '../resilience/index.js';
import { type APICall, type APIResponse, type RequestOptions, requestChecks } from './api-call.js';
import { type APIIntegrationOptions, type APISettings, positionalOptions, settingsOf } from './api-options.js';
import type { HTTPCacheStats } from './cache/http-cache.js';
import { APIOperations } from './openapi/api-operations.js';
import { Pacing } from './pacing.js';
import { type APIPageSource, Pages } from './pagination/pages.js';
import { type APIPaginateOptions, paginateChecks } from './pagination/paginate-options.js';
import { pathWith } from './path.js';
import { optionsOf } from './prepared-request.js';
import type { Query } from './query.js';
import { RequestRunner } from './request-runner.js';
import type { APIStream } from './stream/api-stream.js';
import { StreamOpener } from './stream/stream-opener.js';
import { type APIStreamOptions, streamChecks } from './stream/stream-options.js';
import type {
  APIMethodAt,
  LooseAPIPath,
  NoPaths,
  PlainAPIPath,
  TypedAPIOptions,
  TypedAPIResponse,
} from './typed-paths.js';
import { Wire } from './wire.js';

/** Counters of an {@link APIIntegration}. */
export interface APIStats {
  /** Calls, attempts and failures, the state of the circuit and the limiter. Shared with whoever shares the policy. */
  readonly policy: PolicyStats;
  /** Absent without a cache. */
  readonly cache?: HTTPCacheStats;
}

/**
 * A REST API as one object: retries, circuit breaker, rate limit, cache, deadlines and cancellation around
 * every request, typed errors out of it. It stays under its base URL, whatever endpoint it is given.
 *
 * The positional form has a bearer key, 100 calls an hour unless said otherwise, and a cache.
 * With options nothing limits or caches unless asked to.
 *
 * @throws ConfigurationError for any wrong or unknown option
 * @example
 * await using shop = new APIIntegration({ baseURL: 'https://shop.example/v1', auth: key, cache: true });
 * const { data: order } = await shop.request(path`/orders/${id}`, { schema: Order, timeoutMs: 2_000 });
 */
export class APIIntegration<Paths extends object = NoPaths> implements Closeable, HealthCheck {
  readonly #settings: APISettings;
  readonly #wire: Wire;
  readonly #runner: RequestRunner;
  readonly #opener: StreamOpener;
  readonly #lifecycle: Lifecycle;

  constructor(baseURL: string, apiKey: string, rateLimitPerHour?: number);
  constructor(options: APIIntegrationOptions);
  constructor(first: string | APIIntegrationOptions, apiKey?: string, rateLimitPerHour = 100) {
    // An address that is missing is the positional form with a variable that was not set.
    const positional = typeof first !== 'object' || first instanceof URL;
    this.#settings = settingsOf(positional ? positionalOptions(first, apiKey, rateLimitPerHour) : first);
    this.#wire = new Wire(this.#settings);
    const { pacing, policy } = this.#settings;
    const paced = pacing && new Pacing(pacing, policy.scopeOptions().clock ?? systemClock);
    this.#runner = new RequestRunner(this.#settings, this.#wire, paced);
    this.#opener = new StreamOpener(this.#settings, this.#wire, paced);
    this.#lifecycle = new Lifecycle(`APIIntegration '${this.#settings.name}'`);
  }

  get name(): string {
    return this.#settings.name;
  }

  /**
   * The axios instance below, loaded on first use: add interceptors to it. Requests made with it directly
   * have neither credentials nor policy.
   */
  get client(): Promise<AxiosInstance> {
    return this.#wire.client();
  }

  /**
   * Sends one request. GET, HEAD, PUT, DELETE and OPTIONS are repeated after failures that may pass, all
   * others only with an `idempotencyKey`. With a `schema`, `data` is its output.
   *
   * `request<Order>(…)` only names the type of `data`, unchecked; a `schema` makes sure of it.
   *
   * With the `paths` of openapi-typescript (`new APIIntegration<paths>(…)`), paths, parameters, bodies and data
   * have the types of the document.
   *
   * @param path below the base, or a same-origin link under it; build it from data with the `path` template
   * @throws HTTPError for a status outside 200-299; ConnectionError TimeoutError CircuitOpenError
   * RateLimitError QueueFullError ProtocolError ValidationError ClosedError, or `signal.reason`
   */
  request<const P extends string>(path: PlainAPIPath<Paths, P>): Promise<TypedAPIResponse<Paths, P, 'GET'>>;
  request<const P extends string, const M extends APIMethodAt<Paths, P> = APIMethodAt<Paths, P> & 'GET'>(
    path: P,
    options: TypedAPIOptions<Paths, P, M>,
  ): Promise<TypedAPIResponse<Paths, P, M>>;
  request<S extends StandardSchemaV1>(
    path: string,
    options: RequestOptions & { readonly schema: S },
  ): Promise<APIResponse<StandardSchemaV1.InferOutput<S>>>;
  request<T = never>(
    path: [T] extends [never] ? never : string,
    options?: RequestOptions,
  ): Promise<APIResponse<NoInfer<T>>>;
  request<P extends string>(path: LooseAPIPath<Paths, P>, options?: RequestOptions): Promise<APIResponse>;
  async request(path: string, given: object = {}): Promise<APIResponse> {
    const options: RequestOptions = given;
    const known = this.#recall(path, options);
    if (known && options.schema === undefined) return known;
    checkOptions('request', options, requestChecks);
    const { schema, ...rest } = options;
    return this.#call(callOf(path, rest), async (call, scope) => known ?? this.#runner.run(call, scope), schema);
  }

  /**
   * The items of a list that comes in pages, asked for one after the other while you loop. `timeoutMs` is
   * for each page, `signal` ends it between and within pages.
   *
   * @throws as `request`, while looping; ProtocolError for an answer without a list, pages that repeat,
   * and more than `maxPages` of them
   */
  paginate<T = unknown>(path: string, options: APIPaginateOptions<T> = {}): Pages<T> {
    checkOptions<APIPaginateOptions<T>>('paginate', options, paginateChecks);
    const { params, query } = options;
    const source: APIPageSource = {
      resolve: () => this.#settings.reach.resolve(params ? pathWith(path, params) : path, query),
      request: (url, rest) => this.request(url, rest),
    };
    return new Pages<T>(source, options);
  }

  /**
   * Sends one request and gives its answer while it comes in. `timeoutMs` and retries reach to the head of
   * the answer; what comes after ends by `idleTimeoutMs`, `maxBytes`, `signal`, the surrounding context or `close`.
   *
   * @throws as `request`; while reading ConnectionError TimeoutError ProtocolError, or `signal.reason`
   */
  async stream(path: string, options: APIStreamOptions = {}): Promise<APIStream> {
    checkOptions('stream', options, streamChecks);
    const { idleTimeoutMs = 300_000, maxBytes = Number.POSITIVE_INFINITY, ...rest } = options;
    const call = callOf(path, rest);
    let opened: APIStream | undefined;
    try {
      await this.#call(call, async (changed, scope) => {
        opened = await this.#opener.open(changed, scope, { idleTimeoutMs, maxBytes });
        const { status, headers, attempts } = opened;
        return { data: opened, status, headers, fromCache: false, ageMs: 0, attempts };
      });
    } catch (error) {
      opened?.cancel(error);
      throw error;
    }
    if (!opened) throw new UnsupportedError(`stream of ${describe(call)}: a layer in \`use\` answered in its place`);
    this.#follow(opened, `body of ${describe(call)}`, rest.signal);
    return opened;
  }

  /** Data of a GET, as the type you name for it, unchecked. `params` become the query; `useCache` false neither reads nor fills the cache. */
  async get<T = unknown>(endpoint: string, params?: Query, useCache = true): Promise<NoInfer<T>> {
    const options = params ? { query: params } : {};
    const known = useCache === true && this.#recall(endpoint, options);
    return (known || (await this.request(endpoint, { ...options, cache: useCache }))).data as T;
  }

  /** Data of a POST. It is sent once: use `request` with an `idempotencyKey` to have it repeated. */
  async post<T = unknown>(endpoint: string, data?: unknown): Promise<NoInfer<T>> {
    return (await this.request(endpoint, { method: 'POST', body: data })).data as T;
  }

  /** Data of a PUT. */
  async put<T = unknown>(endpoint: string, data?: unknown): Promise<NoInfer<T>> {
    return (await this.request(endpoint, { method: 'PUT', body: data })).data as T;
  }

  /** Data of a PATCH. Like POST it is sent once. */
  async patch<T = unknown>(endpoint: string, data?: unknown): Promise<NoInfer<T>> {
    return (await this.request(endpoint, { method: 'PATCH', body: data })).data as T;
  }

  /** Data of a DELETE, usually `undefined`. */
  async delete<T = unknown>(endpoint: string): Promise<NoInfer<T>> {
    return (await this.request(endpoint, { method: 'DELETE' })).data as T;
  }

  /** The answer to a HEAD: its headers, without data. */
  async head(endpoint: string, params?: Query): Promise<APIResponse> {
    return this.request(endpoint, { method: 'HEAD', ...(params && { query: params }) });
  }

  /**
   * The operations of an OpenAPI 3.0 or 3.1 document, each callable under this API's base and policy. The
   * servers that the document names are not asked.
   *
   * @param document parsed; references to other files are not followed
   * @throws ValidationError for what is no such document
   */
  operations(document: unknown): APIOperations {
    return new APIOperations(document, (path, options) => this.request(path, options));
  }

  /**
   * Whether the server takes our credentials: GETs `authPath`, past cache and policy. True for a status of
   * 200-299, false for 401 and 403.
   *
   * @throws HTTPError for any other status; ConnectionError TimeoutError
   */
  async authenticate(options: CallOptions = {}): Promise<{ readonly success: boolean }> {
    const bounds = { ...options, timeoutMs: options.timeoutMs ?? 30_000 };
    const { status, headers } = await this.#probe(this.#settings.authPath, bounds);
    if (status >= 200 && status <= 299) return { success: true };
    if (status === 401 || status === 403) return { success: false };
    throw new HTTPError({
      method: 'GET',
      url: this.#settings.base.resolve(this.#settings.authPath).href,
      status,
      headers,
    });
  }

  /** From the circuit and the last answer; with `healthPath` by asking it now. Never rejects. */
  async health(options: CallOptions = {}): Promise<Health> {
    const { base, policy, healthPath } = this.#settings;
    if (this.#lifecycle.closed) return { status: 'fail', output: 'closed' };
    const passive = passiveHealth(policy.circuit(base.origin), this.#wire.last);
    if (healthPath === undefined) return passive;
    const ask = async (bounds: CallOptions): Promise<string | undefined> => {
      const { status } = await this.#probe(healthPath, bounds);
      return status >= 200 && status <= 299 ? undefined : `answered ${status}`;
    };
    return activeHealth(ask, options, passive);
  }

  stats(): APIStats {
    const { policy, cache } = this.#settings;
    return { policy: policy.stats(), ...(cache && { cache: cache.stats() }) };
  }

  /** Refuses new requests, lets running ones finish until the deadline, then cancels them. A given client or transport stays open. */
  async close(options: CloseOptions = {}): Promise<void> {
    await this.#lifecycle.close(options, async () => {
      this.#runner.close();
      this.#settings.cache?.clear();
      await Promise.all([this.#wire.close(), this.#settings.credentials?.close()]);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Runs a call inside its scope and the middleware. The time of the policy bounds all of it, the credential too. */
  async #call(
    call: APICall,
    inner: (call: APICall, scope: CallScope) => Promise<APIResponse>,
    schema?: StandardSchemaV1,
  ): Promise<APIResponse> {
    const { use, policy } = this.#settings;
    const subject = describe(call);
    return this.#lifecycle.call(subject, policy.scopeOptions(call), async (scope) => {
      const response = use.length === 0 ? await inner(call, scope) : await this.#throughLayers(call, inner, scope);
      return schema ? { ...response, data: await validate(schema, response.data, `answer of ${subject}`) } : response;
    });
  }

  /** Layers see, and may replace, what bounds the call in time; it stays within the scope. */
  async #throughLayers(
    call: APICall,
    inner: (call: APICall, scope: CallScope) => Promise<APIResponse>,
    scope: CallScope,
  ): Promise<APIResponse> {
    const { use, policy } = this.#settings;
    const run = compose<APICall, APIResponse>(use, async (changed) => {
      if (changed.signal === scope.signal && changed.timeoutMs === call.timeoutMs) return inner(changed, scope);
      using own = openScope(describe(changed), { ...policy.scopeOptions(changed), parents: [scope] });
      return await own.run(() => inner(changed, own));
    });
    return run({ ...call, signal: scope.signal });
  }

  #recall(path: string, options: RequestOptions): APIResponse | undefined {
    return this.#lifecycle.closed ? undefined : this.#runner.recall(path, options);
  }

  /** A stream outlives its call, but neither its caller's signal and context nor this object. */
  #follow(stream: APIStream, subject: string, signal: AbortSignal | undefined): void {
    const options = signal ? { signal } : {};
    this.#lifecycle.call(subject, options, () => stream.finished).catch((reason: unknown) => stream.cancel(reason));
  }

  async #probe(path: string, options: CallOptions): Promise<APIResponse> {
    return this.#call({ method: 'GET', path, ...optionsOf(options) }, async (call, scope) => {
      const { status, headers } = await this.#runner.probe(call, scope);
      return { data: undefined, status, headers, fromCache: false, ageMs: 0, attempts: 1 };
    });
  }
}

function callOf(path: string, { params, method = 'GET', ...rest }: Omit<RequestOptions, 'schema'>): APICall {
  return { ...rest, method, path: params ? pathWith(path, params) : path };
}

/** The call as it reads in errors: a query can hold secrets. */
function describe({ method, path }: APICall): string {
  return `${method} ${String(path).split(/[?#]/, 1)[0]}`;
}
