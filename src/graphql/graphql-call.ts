import { type CallOptions, ConfigurationError, type Middleware, type StandardSchemaV1 } from '../core/index.js';
import { is, isSchema, type OptionChecks } from '../core/internal.js';
import type { GraphQLOperationKind } from './graphql-document.js';

/**
 * What happens when an answer has errors. `none`: the call rejects. `ignore`: the data that came is the
 * result, errors are dropped. `all`: like `ignore`, and `raw` gives the errors beside the data. An answer
 * without data rejects under each of them, except from `raw` and `batch` under `all`.
 */
export type GraphQLErrorPolicy = 'none' | 'ignore' | 'all';

/** Settings of one call. */
export interface GraphQLCallOptions extends CallOptions {
  /** Added to, and over, the headers of the integration. `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** @default the one of the integration */
  readonly errorPolicy?: GraphQLErrorPolicy;
  /**
   * Sent as `Idempotency-Key`: says that the server takes a repeated mutation for one, which is then
   * retried like a query. @default mutations are sent once
   */
  readonly idempotencyKey?: string;
  /** `false` sends a query although the same one is under way. @default the one of the integration */
  readonly dedupe?: boolean;
}

/** Settings of one call with one operation. */
export interface GraphQLRequestOptions extends GraphQLCallOptions {
  /** Which operation, where the document has several. */
  readonly operationName?: string;
  /** Checks the data, any Standard Schema. Its output is what you get. @default the type is taken on trust */
  readonly schema?: StandardSchemaV1;
}

/** One operation of a call on its way through the middleware. */
export interface GraphQLOperation {
  /** What the document must hold; anything else is refused. Undefined takes queries and mutations. */
  readonly kind?: GraphQLOperationKind | undefined;
  readonly document: unknown;
  readonly variables?: unknown;
  readonly operationName?: string | undefined;
}

/** A call on its way through the middleware: change it by `next({ ...call, headers: … })`. */
export interface GraphQLCall extends GraphQLCallOptions {
  /** One, or those of a batch in their order. */
  readonly operations: readonly GraphQLOperation[];
  /** True when they go as an array, one or many. */
  readonly batched: boolean;
}

/** The result of one operation. */
export interface GraphQLResult<TData = unknown> {
  /** `null` only under the error policy `all`. */
  readonly data: TData;
  /** As the server gave them; present only under the error policy `all`. */
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** An error as servers write it (GraphQL specification, section 7.1.2). */
export interface GraphQLFormattedError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** What a call resolves with, on its way back through the middleware. */
export interface GraphQLAnswer {
  /** One for each operation, in their order. */
  readonly results: readonly GraphQLResult[];
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Requests that were sent for it: 2 after one retry. */
  readonly attempts: number;
}

/** A result with the facts of its HTTP answer. */
export interface GraphQLRawResult<TData = unknown> extends GraphQLResult<TData>, Omit<GraphQLAnswer, 'results'> {}

/** A layer around every call over HTTP: outside of de-duplication, retries and limits. */
export type GraphQLMiddleware = Middleware<GraphQLCall, GraphQLAnswer>;

export const isErrorPolicy: ReturnType<typeof is.oneOf> = is.oneOf('none', 'ignore', 'all');

export const callChecks: OptionChecks<GraphQLCallOptions> = {
  headers: is.object,
  errorPolicy: isErrorPolicy,
  idempotencyKey: is.text,
  dedupe: is.flag,
  signal: is.object,
  timeoutMs: is.milliseconds,
};

export const requestChecks: OptionChecks<GraphQLRequestOptions> = {
  ...callChecks,
  operationName: is.text,
  schema: (value, field) => {
    if (!isSchema(value)) throw new ConfigurationError(`${field} must be a Standard Schema (version 1)`, { field });
  },
};
