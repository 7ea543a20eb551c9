import { type CallOptions, ConfigurationError, type Middleware, type StandardSchemaV1 } from '../core/index.js';
import { is, isSchema, type OptionChecks } from '../core/internal.js';
import type { PathValue } from './path.js';
import type { Query } from './query.js';

/** Settings of one request. */
export interface RequestOptions extends CallOptions {
  /** @default 'GET' */
  readonly method?: string;
  /** Values for the `{names}` in the path, which are encoded as by the `path` template. @default braces mean nothing */
  readonly params?: Readonly<Record<string, PathValue>>;
  /** Added to the query the path may have. */
  readonly query?: Query;
  /** Plain data goes as JSON; texts, bytes, forms and streams go as they are. */
  readonly body?: unknown;
  /** Checks the data, any Standard Schema. Its output is what you get. @default the data is `unknown` */
  readonly schema?: StandardSchemaV1;
  /** Added to, and over, the headers of the API. `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /**
   * Sent as `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), which makes it safe to repeat
   * a request that is not idempotent by its method: it is then retried like a GET.
   */
  readonly idempotencyKey?: string;
  /** `false` neither reads nor fills the cache. @default true where the API has a cache */
  readonly cache?: boolean;
}

export const requestChecks: OptionChecks<RequestOptions> = {
  method: is.text,
  params: is.object,
  query: is.object,
  body: is.anything,
  schema: (value, field) => {
    if (!isSchema(value)) throw new ConfigurationError(`${field} must be a Standard Schema (version 1)`, { field });
  },
  headers: is.object,
  idempotencyKey: is.text,
  cache: is.flag,
  signal: is.object,
  timeoutMs: is.milliseconds,
};

/** A request on its way through the middleware: change it by `next({ ...call, headers: … })`. */
export interface APICall extends Omit<RequestOptions, 'schema' | 'params'> {
  readonly method: string;
  readonly path: string;
}

/** An answer with a status from 200 to 299; all others are thrown as HTTPError. */
export interface APIResponse<T = unknown> {
  /** Parsed JSON, text, or bytes by media type; `undefined` when there was no content. */
  readonly data: T;
  readonly status: number;
  /** By lower-case name; lines of the same name are joined by `, `, cookies by a line break. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fromCache: boolean;
  /** How old the answer is: 0 when it came from the server just now. */
  readonly ageMs: number;
  /** Requests that were sent for it: 0 from the cache, 2 after one retry. */
  readonly attempts: number;
}

/** A layer around every request of an API: outside of cache, retries and limits. */
export type APIMiddleware = Middleware<APICall, APIResponse>;
