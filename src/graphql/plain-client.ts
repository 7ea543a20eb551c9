import { lazy } from '../core/internal.js';
import type { HTTPTransport } from '../drivers/http/index.js';
import type { GraphQLFormattedError } from './graphql-call.js';
import type { GraphQLDocument, GraphQLVariables } from './graphql-document.js';
import { transportFetch } from './transport-fetch.js';

type Fields = Readonly<Record<string, string>>;

/**
 * graphql-request's `GraphQLClient`, by what most need of it. It is one: `as unknown as GraphQLClient` gives its own
 * types, which need those of a browser (`lib: ["dom"]`).
 */
export interface PlainGraphQLClient {
  /** The data. Rejects with graphql-request's `ClientError`, whose message holds what was sent. */
  request<TData = unknown>(
    document: GraphQLDocument<TData, never>,
    variables?: GraphQLVariables,
    headers?: Fields,
  ): Promise<TData>;
  /** The data with all that came back. */
  rawRequest<TData = unknown>(
    query: string,
    variables?: GraphQLVariables,
    headers?: Fields,
  ): Promise<{
    readonly data: TData;
    readonly errors?: readonly GraphQLFormattedError[];
    readonly extensions?: unknown;
    readonly status: number;
  }>;
  setHeader(name: string, value: string): unknown;
}

const load = lazy(() => import('graphql-request'));

/** graphql-request with a transport for its fetch. */
export async function plainClient(
  endpoint: URL,
  transport: HTTPTransport,
  maxResponseBytes: number | undefined,
): Promise<PlainGraphQLClient> {
  const { GraphQLClient } = await load();
  const client = new GraphQLClient(endpoint.href, { fetch: transportFetch(transport, maxResponseBytes) });
  return client as unknown as PlainGraphQLClient;
}
