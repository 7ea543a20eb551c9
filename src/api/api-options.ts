import { ConfigurationError, type TelemetryOptions } from '../core/index.js';
import { checkOptions, is, type OptionCheck, type OptionChecks } from '../core/internal.js';
import {
  type AxiosInstance,
  checkedHeaders,
  type HTTPTransport,
  httpTransport,
  undiciTransport,
} from '../drivers/http/index.js';
import { type Policy, type PolicyOptions, policy } from '../resilience/index.js';
import type { APIMiddleware } from './api-call.js';
import { type Auth, Credentials } from './auth/credentials.js';
import { BaseURL } from './base-url.js';
import { cacheChecks, type HTTPCacheOptions } from './cache/cache-options.js';
import { HTTPCache } from './cache/http-cache.js';
import { type PacingOptions, pacingChecks } from './origin-pacer.js';
import { Reach, type SecurityOptions } from './reach.js';

/** Settings of an {@link APIIntegration}. */
export interface APIIntegrationOptions {
  /** `http:` or `https:`, without credentials, query and fragment. Every request stays under it. */
  readonly baseURL: string | URL;
  /** Leave it out for an API without credentials. @default none */
  readonly auth?: Auth;
  /**
   * A ready axios instance, used through its own adapter and interceptors, not its transforms. The caller
   * owns it. Its redirects are not followed. @default ours, over `transport`
   */
  readonly client?: AxiosInstance;
  /**
   * What moves the bytes: `undici`, `http` for Node's own `http` and `https` (for tools that replace or watch
   * those), or a transport, which the caller owns. @default 'undici'
   */
  readonly transport?: 'undici' | 'http' | HTTPTransport;
  /** A policy to share with others, or the settings of one. @default the defaults of `policy()`, no limiter */
  readonly policy?: Policy | PolicyOptions;
  /** @default false; in the positional form on, with a heuristic lifetime of 5 minutes */
  readonly cache?: boolean | HTTPCacheOptions;
  /**
   * Waits when the server's `RateLimit`, `X-RateLimit-*` or similar headers say that nothing is left, until
   * more comes, per origin. `false` takes no notice of them. @default on, waiting at most 30 seconds
   */
  readonly pacing?: boolean | PacingOptions;
  /** Opens other origins to URLs from data. Not together with `client`. @default only the base is open */
  readonly security?: SecurityOptions;
  /** Longest answer in bytes, counted after decompression. @default 10485760 (10 MiB) */
  readonly maxResponseBytes?: number;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What `authenticate()` asks. @default the base itself */
  readonly authPath?: string;
  /** What `health()` asks. @default none: health is told from the requests that were made */
  readonly healthPath?: string;
  /** Layers around every request, the first outermost. */
  readonly use?: readonly APIMiddleware[];
  readonly telemetry?: TelemetryOptions;
  /** As it reads in health reports, errors and logs. @default the host of `baseURL` */
  readonly name?: string;
}

const owner = 'APIIntegration';

const optionChecks: OptionChecks<APIIntegrationOptions> = {
  baseURL: is.url('http:', 'https:'),
  auth: is.anything,
  client: withMethods(is.function, 'request'),
  transport: is.either(
    '"undici", "http" or a transport with the methods send and close',
    is.oneOf('undici', 'http'),
    withMethods(is.object, 'send', 'close'),
  ),
  policy: is.object,
  cache: (value, field) => {
    const check = typeof value === 'object' ? is.options(cacheChecks) : is.either('true, false or an object', is.flag);
    check(value, field);
  },
  pacing: (value, field) => {
    const check = typeof value === 'object' ? is.options(pacingChecks) : is.either('true, false or an object', is.flag);
    check(value, field);
  },
  security: is.options<SecurityOptions>({ allow: is.list }),
  maxResponseBytes: is.count,
  headers: is.object,
  authPath: is.text,
  healthPath: is.text,
  use: is.list,
  telemetry: is.options<TelemetryOptions>({
    logger: withMethods(is.object, 'debug', 'info', 'warn', 'error'),
    tracer: is.object,
    meter: is.object,
  }),
  name: is.text,
};

/** The options, checked once and complete. */
export interface APISettings {
  readonly name: string;
  readonly base: BaseURL;
  readonly reach: Reach;
  readonly credentials: Credentials | undefined;
  readonly client: AxiosInstance | undefined;
  readonly transport: HTTPTransport;
  /** True when the transport is ours to close. */
  readonly ownsTransport: boolean;
  readonly policy: Policy;
  readonly cache: HTTPCache | undefined;
  readonly pacing: PacingOptions | undefined;
  readonly maxResponseBytes: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly authPath: string;
  readonly healthPath: string | undefined;
  readonly use: readonly APIMiddleware[];
  readonly telemetry: TelemetryOptions;
}

/** @throws ConfigurationError that names the option */
export function settingsOf(options: APIIntegrationOptions): APISettings {
  checkOptions(owner, options, optionChecks);
  if ('auth' in options && options.auth === undefined) {
    throw new ConfigurationError(
      `${owner}.auth is undefined; set it, or leave the option out for an API without credentials`,
      { field: `${owner}.auth` },
    );
  }
  if (options.client && options.transport) {
    throw new ConfigurationError(`${owner}.transport has no effect beside ${owner}.client: give one of them`, {
      field: `${owner}.transport`,
    });
  }
  if (options.client && options.security?.allow?.length) {
    throw new ConfigurationError(
      `${owner}.security.allow needs a transport that checks addresses, a ready client does not: leave ${owner}.client out`,
      { field: `${owner}.security.allow` },
    );
  }
  const base = new BaseURL(options.baseURL, `${owner}.baseURL`);
  const transport = transportOf(options.transport);
  const settings: APISettings = {
    name: options.name ?? new URL(base.href).host,
    base,
    reach: new Reach(base, options.security ?? {}, `${owner}.security`),
    credentials:
      options.auth === undefined
        ? undefined
        : new Credentials(options.auth, `${owner}.auth`, options.transport === undefined ? undefined : transport),
    client: options.client,
    transport,
    ownsTransport: typeof options.transport !== 'object',
    policy: isPolicy(options.policy) ? options.policy : policy(options.policy),
    cache: options.cache ? new HTTPCache(options.cache === true ? {} : options.cache) : undefined,
    pacing: options.pacing === false ? undefined : options.pacing === true ? {} : (options.pacing ?? {}),
    maxResponseBytes: options.maxResponseBytes,
    headers: Object.freeze(fixedHeaders(options.headers ?? {})),
    authPath: options.authPath ?? '',
    healthPath: options.healthPath,
    use: [...(options.use ?? [])],
    telemetry: options.telemetry ?? {},
  };
  checkPath(base, options.authPath, 'authPath');
  checkPath(base, options.healthPath, 'healthPath');
  settings.use.forEach((layer, index) => {
    is.function(layer, `${owner}.use[${index}]`);
  });
  return Object.freeze(settings);
}

/**
 * The positional form: a bearer key, so many calls an hour, and a cache that takes an answer for fresh for 5
 * minutes when the server says nothing.
 */
export function positionalOptions(baseURL: unknown, apiKey: unknown, rateLimitPerHour: unknown): APIIntegrationOptions {
  optionChecks.baseURL(baseURL, `${owner}.baseURL`);
  is.text(apiKey, `${owner}.apiKey`);
  is.count(rateLimitPerHour, `${owner}.rateLimitPerHour`);
  const limit = Number(rateLimitPerHour);
  const limiter = { limit, intervalMs: 3_600_000, name: `rate limit of ${limit} per hour` };
  return {
    baseURL: baseURL as string,
    auth: { type: 'bearer', token: String(apiKey) },
    policy: limit === Number.POSITIVE_INFINITY ? {} : { limiter },
    cache: { heuristicMs: 300_000 },
  };
}

function transportOf(transport: APIIntegrationOptions['transport'] = 'undici'): HTTPTransport {
  if (typeof transport === 'object') return transport;
  return transport === 'http' ? httpTransport() : undiciTransport();
}

/** A thing that is used by these methods; a missing one is named. */
function withMethods(kind: OptionCheck, ...names: readonly string[]): OptionCheck {
  return (value, field) => {
    kind(value, field);
    for (const name of names) is.function((value as Readonly<Record<string, unknown>>)[name], `${field}.${name}`);
  };
}

/** By shape: it may come from another copy of the package. */
function isPolicy(value: Policy | PolicyOptions | undefined): value is Policy {
  return value !== undefined && 'execute' in value && typeof value.execute === 'function';
}

function fixedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return checkedHeaders(headers, owner);
  } catch (cause) {
    throw new ConfigurationError((cause as Error).message, { field: `${owner}.headers`, cause });
  }
}

function checkPath(base: BaseURL, path: string | undefined, name: string): void {
  const field = `${owner}.${name}`;
  try {
    if (path !== undefined) base.resolve(path);
  } catch (cause) {
    throw new ConfigurationError(`${field}: ${(cause as Error).message}`, { field, cause });
  }
}
