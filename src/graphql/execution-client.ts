import { ProtocolError } from '../core/index.js';
import { type Cancellation, exchangeByTransport, type HTTPRequest, type HTTPTransport } from '../drivers/http/index.js';
import { type ExecutionResult, executionResults } from './execution-result.js';
import { isJSON, jsonText } from './json-answer.js';

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

/** An answer: with its results when its status is 200-299, unread otherwise. */
export interface ExecutionAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly results?: readonly ExecutionResult[];
}

type Target = Pick<HTTPRequest, 'url' | 'maxResponseBytes'>;

/**
 * Sends requests that are encoded already, and reads their answers. graphql-request would parse or print
 * the document, write the variables and make the headers and the URL anew for every request.
 */
export class ExecutionClient {
  readonly #transport: HTTPTransport;
  readonly #target: Target;

  constructor(endpoint: URL, transport: HTTPTransport, maxResponseBytes: number | undefined) {
    this.#transport = transport;
    this.#target = { url: endpoint.href, maxResponseBytes };
  }

  /** @throws ProtocolError for an answer of status 200-299 that is not GraphQL, or what the transport threw */
  async execute(request: ExecutionRequest, ending: Ending): Promise<ExecutionAnswer> {
    const outgoing = new Outgoing(this.#target, request, ending);
    const { status, headers, body } = await exchangeByTransport(this.#transport, outgoing);
    const text = jsonText(body);
    if (status < 200 || status > 299) return { status, headers, text };
    if (!isJSON(headers['content-type'])) throw notGraphQL(request.subject, headers['content-type']);
    const results = executionResults(text);
    // Without the parser's error: it quotes the answer.
    if (!results) throw new ProtocolError(`${request.subject}: the answer is not a GraphQL result`);
    return { status, headers, text, results };
  }
}

/** A request as the transport gets it. */
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

function notGraphQL(subject: string, contentType = ''): ProtocolError {
  const type = contentType.replace(/[^\w.+/-].*$/s, '').slice(0, 60);
  return new ProtocolError(`${subject}: the answer is ${type || 'not typed'}, not a GraphQL result`);
}
