import { type Awaitable, ConfigurationError, type TelemetryOptions } from '../core/index.js';
import { checkOptions, is, type OptionCheck, type OptionChecks } from '../core/internal.js';
import type { HTTPTransport } from '../drivers/http/index.js';
import { type Policy, type PolicyOptions, policy } from '../resilience/index.js';
import { type GraphQLErrorPolicy, type GraphQLMiddleware, isErrorPolicy } from './graphql-call.js';
import { type GraphQLHeaders, type GraphQLHeadersRequest, HeaderSource } from './header-source.js';
import { type SubscriptionOptions, subscriptionChecks } from './subscription-options.js';

/** Settings of a {@link GraphQLIntegration}. */
export interface GraphQLIntegrationOptions {
  /** `http:` or `https:`, without credentials. */
  readonly endpoint: string | URL;
  /**
   * Sent with every request, and as `connectionParams` of subscriptions. A function is asked for every
   * request, once for callers at the same time; after a 401 it is asked with `refresh: true`, once for all
   * who were refused, and their requests are sent once more. @default none
   */
  readonly headers?: GraphQLHeaders | ((request: GraphQLHeadersRequest) => Awaitable<GraphQLHeaders>);
  /** A policy to share with others, or the settings of one. @default the defaults of `policy()`, no limiter */
  readonly policy?: Policy | PolicyOptions;
  /** @default 'none' */
  readonly errorPolicy?: GraphQLErrorPolicy;
  /** Callers who ask the same query with the same headers at the same time share one request. @default true */
  readonly dedupe?: boolean;
  /**
   * Sends the SHA-256 of a document in its place, and the document only to a server that does not know it
   * (automatic persisted queries, as of Apollo). @default false
   */
  readonly persistedQueries?: boolean;
  /** `ws:` or `wss:`. @default the endpoint with `ws` in the place of `http` */
  readonly subscriptionUrl?: string | URL;
  /** How subscriptions connect, wait and buffer. */
  readonly subscriptions?: SubscriptionOptions;
  /** What moves the bytes. The caller owns it. @default undiciTransport(), ours */
  readonly transport?: HTTPTransport;
  /** Longest answer, and longest message of a subscription, in bytes, after decompression. @default 10485760 (10 MiB) */
  readonly maxResponseBytes?: number;
  /** What `health()` asks, such as `{ __typename }`. @default none: health is told from the requests that were made */
  readonly healthQuery?: string;
  /** Layers around every call over HTTP, the first outermost. */
  readonly use?: readonly GraphQLMiddleware[];
  readonly telemetry?: TelemetryOptions;
  /** As it reads in health reports, errors and logs. @default the host of `endpoint` */
  readonly name?: string;
}

const owner = 'GraphQLIntegration';

const optionChecks: OptionChecks<GraphQLIntegrationOptions> = {
  endpoint: is.required(is.url('http:', 'https:')),
  headers: is.either('an object or a function', is.object, is.function),
  policy: is.object,
  errorPolicy: isErrorPolicy,
  dedupe: is.flag,
  persistedQueries: is.flag,
  subscriptionUrl: is.url('ws:', 'wss:'),
  subscriptions: is.options(subscriptionChecks),
  transport: withMethods('send', 'close'),
  maxResponseBytes: is.count,
  healthQuery: is.text,
  use: is.list,
  telemetry: is.options<TelemetryOptions>({
    logger: withMethods('debug', 'info', 'warn', 'error'),
    tracer: is.object,
    meter: is.object,
  }),
  name: is.text,
};

/** The options, checked once and complete. */
export interface GraphQLSettings {
  readonly name: string;
  readonly endpoint: URL;
  readonly headers: HeaderSource;
  readonly policy: Policy;
  readonly errorPolicy: GraphQLErrorPolicy;
  readonly dedupe: boolean;
  readonly persistedQueries: boolean;
  readonly subscriptionUrl: string;
  readonly subscriptions: SubscriptionOptions;
  readonly transport: HTTPTransport | undefined;
  readonly maxResponseBytes: number | undefined;
  readonly healthQuery: string | undefined;
  readonly use: readonly GraphQLMiddleware[];
  readonly telemetry: TelemetryOptions;
}

/** @throws ConfigurationError that names the option */
export function settingsOf(options: GraphQLIntegrationOptions): GraphQLSettings {
  checkOptions(owner, options, optionChecks);
  const endpoint = address(options.endpoint, `${owner}.endpoint`);
  const settings: GraphQLSettings = {
    name: options.name ?? endpoint.host,
    endpoint,
    headers: new HeaderSource(options.headers ?? {}, `${owner}.headers`),
    policy: isPolicy(options.policy) ? options.policy : policy(options.policy),
    errorPolicy: options.errorPolicy ?? 'none',
    dedupe: options.dedupe ?? true,
    persistedQueries: options.persistedQueries ?? false,
    subscriptionUrl: options.subscriptionUrl
      ? address(options.subscriptionUrl, `${owner}.subscriptionUrl`).href
      : endpoint.href.replace(/^http/, 'ws'),
    subscriptions: options.subscriptions ?? {},
    transport: options.transport,
    maxResponseBytes: options.maxResponseBytes,
    healthQuery: options.healthQuery,
    use: [...(options.use ?? [])],
    telemetry: options.telemetry ?? {},
  };
  settings.use.forEach((layer, index) => {
    is.function(layer, `${owner}.use[${index}]`);
  });
  return Object.freeze(settings);
}

function address(given: string | URL, field: string): URL {
  const url = new URL(given);
  if (url.username || url.password)
    throw new ConfigurationError(`${field} must not hold credentials; pass them as headers`, { field });
  url.hash = '';
  return url;
}

/** By shape: it may come from another copy of the package. */
function isPolicy(value: Policy | PolicyOptions | undefined): value is Policy {
  return value !== undefined && 'execute' in value && typeof value.execute === 'function';
}

function withMethods(...names: readonly string[]): OptionCheck {
  return (value, field) => {
    is.object(value, field);
    for (const name of names) is.function((value as Readonly<Record<string, unknown>>)[name], `${field}.${name}`);
  };
}
