import type { GraphQLClient } from 'graphql-request';
import { ProtocolError, SaflaError } from '../core/index.js';
import { lazy } from '../core/internal.js';
import { type Cancellation, exchangeByTransport, type HTTPRequest, type HTTPTransport } from '../drivers/http/index.js';
import type { GraphQLFormattedError } from './graphql-call.js';
import { type FetchedHeaders, FetchedText, transportFetch } from './transport-fetch.js';

/** When a request ends early. A `CallScope` and an `Attempt` are one. */
export interface Ending extends Cancellation {
  readonly signal: AbortSignal;
}

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
export interface ExecutionAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly results?: readonly ExecutionResult[];
}

const loadClient = lazy(() => import('graphql-request'));

/** graphql-request with a transport for its fetch. */
export async function createClient(
  endpoint: URL,
  transport: HTTPTransport,
  maxResponseBytes: number | undefined,
): Promise<GraphQLClient> {
  const { GraphQLClient } = await loadClient();
  return new GraphQLClient(endpoint.href, { fetch: transportFetch(transport, maxResponseBytes) });
}

/**
 * Sends requests that are encoded already, and reads their answers by graphql-request. Left to itself, that
 * would parse or print the document, write the variables and build the headers anew for every request.
 */
export class ExecutionClient {
  readonly #client: () => Promise<GraphQLClient>;
  readonly #target: Target;
  #ready: GraphQLClient | undefined;

  constructor(endpoint: URL, transport: HTTPTransport, maxResponseBytes: number | undefined) {
    const url = endpoint.href;
    this.#target = { url, maxResponseBytes };
    const send = async (_url: unknown, { body: request }: { readonly body: Outgoing }): Promise<FetchedText> => {
      const fetched = new FetchedText(await exchangeByTransport(transport, request));
      if (!fetched.ok || !fetched.headers.isJSON) throw new Unread(fetched);
      return fetched;
    };
    this.#client = lazy(async () => {
      const { GraphQLClient } = await loadClient();
      return new GraphQLClient(url, {
        fetch: send as unknown as typeof fetch,
        jsonSerializer: { stringify: ({ variables }) => variables, parse: JSON.parse },
        excludeOperationName: true,
        errorPolicy: 'all',
      });
    });
  }

  /** @throws ProtocolError for an answer of status 200-299 that is not GraphQL, or what the transport threw */
  async execute(request: ExecutionRequest, ending: Ending): Promise<ExecutionAnswer> {
    this.#ready ??= await this.#client();
    try {
      const answer = await this.#ready.rawRequest<unknown, Outgoing>({
        query: request.subject,
        variables: new Outgoing(this.#target, request, ending),
      });
      const { status, body: text, data, errors, extensions } = answer;
      const { fields } = answer.headers as unknown as FetchedHeaders;
      const results = Array.isArray(data) ? data : [{ data, errors, extensions }];
      return { status, headers: fields, text, results };
    } catch (error) {
      if (ending.cancelled) throw ending.reason;
      return unreadAnswer(error, request.subject);
    }
  }
}

type Target = Pick<HTTPRequest, 'url' | 'maxResponseBytes'>;

/** A request as the transport gets it. Through graphql-request it goes as the variables, and comes back as the body. */
class Outgoing implements HTTPRequest {
  readonly method: string = 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly cancellation: Ending;
  readonly maxResponseBytes: number | undefined;

  constructor({ url, maxResponseBytes }: Target, { headers, body }: ExecutionRequest, ending: Ending) {
    this.url = url;
    this.headers = headers;
    this.body = body;
    this.cancellation = ending;
    this.maxResponseBytes = maxResponseBytes;
  }

  /** Made when a transport reads it. */
  get signal(): AbortSignal {
    return this.cancellation.signal;
  }
}

/** Carries an answer past graphql-request, whose own error would repeat all that was sent. */
class Unread {
  readonly fetched: FetchedText;

  constructor(fetched: FetchedText) {
    this.fetched = fetched;
  }
}

function unreadAnswer(error: unknown, subject: string): ExecutionAnswer {
  if (SaflaError.is(error)) throw error;
  if (!(error instanceof Unread)) {
    // Without the cause: it quotes the answer.
    throw new ProtocolError(`${subject}: the answer is not a GraphQL result`);
  }
  const { ok, status, headers, content } = error.fetched;
  if (!ok) return { status, headers: headers.fields, text: content };
  const type = (headers.get('content-type') ?? '').replace(/[^\w.+/-].*$/s, '').slice(0, 60);
  throw new ProtocolError(`${subject}: the answer is ${type || 'not typed'}, not a GraphQL result`);
}
