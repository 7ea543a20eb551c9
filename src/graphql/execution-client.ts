import type { GraphQLClient } from 'graphql-request';
import { ProtocolError, SaflaError } from '../core/index.js';
import { lazy } from '../core/internal.js';
import type { GraphQLFormattedError } from './graphql-call.js';
import type { FetchedText, FlatHeaders, HTTPText, TextFetch } from './transport-fetch.js';

/** What goes out for one operation or one batch. */
export interface ExecutionRequest {
  /** As it reads in errors: `query GetUser at https://api.example.com/graphql`. */
  readonly subject: string;
  /** The JSON of the request, complete. */
  readonly body: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A result in its specified shape (GraphQL specification, section 7.1). */
export interface ExecutionResult {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** An answer: with its results when its status is 200-299, unread otherwise. */
export interface ExecutionAnswer extends HTTPText {
  readonly results?: readonly ExecutionResult[];
}

const loadClient = lazy(() => import('graphql-request'));
const jsonType = /^(?:application|text)\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/** graphql-request with a transport for its fetch. */
export async function createClient(endpoint: URL, send: TextFetch): Promise<GraphQLClient> {
  const { GraphQLClient } = await loadClient();
  return new GraphQLClient(endpoint.href, { fetch: send as unknown as typeof fetch });
}

/** Sends requests that are encoded already, and reads their answers by graphql-request. */
export class ExecutionClient {
  readonly #client: () => Promise<GraphQLClient>;

  constructor(endpoint: URL, send: TextFetch) {
    const readable: TextFetch = async (url, init) => {
      const fetched = await send(url, init);
      if (!fetched.ok || !jsonType.test(fetched.headers.get('content-type') ?? 'application/json'))
        throw new Unread(fetched);
      return fetched;
    };
    this.#client = lazy(async () => {
      const { GraphQLClient } = await loadClient();
      return new GraphQLClient(endpoint.href, {
        fetch: readable as unknown as typeof fetch,
        // Left to itself, the client would parse or print the document for every request.
        excludeOperationName: true,
        jsonSerializer: {
          stringify: ({ variables }: { readonly variables: Encoded }) => variables.body,
          parse: JSON.parse,
        },
        errorPolicy: 'all',
      });
    });
  }

  /** @throws ProtocolError for an answer of status 200-299 that is not GraphQL, or what the transport threw */
  async execute({ subject, body, headers }: ExecutionRequest, signal: AbortSignal): Promise<ExecutionAnswer> {
    const client = await this.#client();
    try {
      const answer = await client.rawRequest<unknown, Encoded>({
        query: subject,
        variables: new Encoded(body),
        requestHeaders: headers,
        signal,
      });
      const { status, body: text, data, errors, extensions } = answer;
      const { fields } = answer.headers as unknown as FlatHeaders;
      const results = Array.isArray(data) ? data : [{ data, errors, extensions }];
      return { status, headers: fields, text, results };
    } catch (error) {
      if (error instanceof Unread && !error.fetched.ok) return error.fetched.answer;
      signal.throwIfAborted();
      if (SaflaError.is(error)) throw error;
      const type = error instanceof Unread ? error.fetched.headers.get('content-type') : undefined;
      // Without the cause: it quotes the answer.
      throw new ProtocolError(
        `${subject}: the answer is not a GraphQL result${type ? `, but ${mediaType(type)}` : ''}`,
      );
    }
  }
}

/** Stands where the variables would: the request as it goes out. */
class Encoded {
  readonly body: string;

  constructor(body: string) {
    this.body = body;
  }
}

/** Carries an answer past graphql-request, whose own error would repeat all that was sent. */
class Unread {
  readonly fetched: FetchedText;

  constructor(fetched: FetchedText) {
    this.fetched = fetched;
  }
}

function mediaType(field: string): string {
  return (
    field
      .split(';', 1)[0]
      ?.replaceAll(/[^\w.+/-]/g, '')
      .slice(0, 60) ?? ''
  );
}
