import { randomUUID } from 'node:crypto';
import { type CallOptions, ProtocolError, SaflaError } from '../core/index.js';
import { correlationIdHere } from '../core/internal.js';
import { type HTTPError, visibleText } from '../drivers/http/index.js';
import { Coalescer, type ExecuteOptions } from '../resilience/index.js';
import type { DocumentMemo } from './document-memo.js';
import type { GraphQLAnswer, GraphQLCall } from './graphql-call.js';
import type { GraphQLSettings } from './graphql-options.js';
import { GraphQLRequestError } from './graphql-request-error.js';
import type { GraphQLWire } from './graphql-wire.js';
import type { IssuedHeaders } from './header-source.js';
import { type Persistence, requestJSON } from './payload.js';
import { nameOf, type PreparedCall, prepareCall } from './prepared-call.js';
import { refusal, settle } from './results.js';
import { SharedAnswer } from './shared-answer.js';

/** Runs a call: headers, once more after a 401 > callers at the same time share one > policy > wire > results. */
export class OperationRunner {
  readonly #settings: GraphQLSettings;
  readonly #url: string;
  readonly #documents: DocumentMemo;
  readonly #wire: GraphQLWire;
  readonly #flights: Coalescer<SharedAnswer> = new Coalescer();
  #shared = 0;
  #knowsPersisted = true;

  constructor(settings: GraphQLSettings, documents: DocumentMemo, wire: GraphQLWire) {
    this.#settings = settings;
    this.#url = settings.endpoint.origin + settings.endpoint.pathname;
    this.#documents = documents;
    this.#wire = wire;
  }

  /** How many calls got the answer of another one. */
  get shared(): number {
    return this.#shared;
  }

  async run(call: GraphQLCall): Promise<GraphQLAnswer> {
    const prepared = await prepareCall(call, this.#documents, this.#url);
    const persist = this.#settings.persistedQueries && this.#knowsPersisted && !prepared.batched;
    const answer = await (persist ? this.#persisted(prepared) : this.#authorized(prepared, 'no'));
    const { status, headers, attempts } = answer;
    const found = answer.take();
    if (found.length !== prepared.operations.length) {
      const expected = prepared.operations.length;
      throw new ProtocolError(`${prepared.subject}: the answer has ${found.length} results instead of ${expected}`);
    }
    const errorPolicy = call.errorPolicy ?? this.#settings.errorPolicy;
    const results = found.map((result, index) => settle(result, this.#asked(prepared, index), errorPolicy, status));
    return { results, status, headers, attempts };
  }

  /** Sends a query once, past policy and sharing. Rejects when it fails in any way. */
  async probe(document: string, signal: AbortSignal): Promise<void> {
    const call: GraphQLCall = { operations: [{ kind: 'query', document }], batched: false, signal };
    const prepared = await prepareCall(call, this.#documents, this.#url);
    const { fields } = await this.#settings.headers.current({ signal });
    const body = prepared.operations.map((operation) => requestJSON(operation)).join('');
    const answer = await this.#wire.exchange({ ...prepared, headers: complete(fields, {}), body }, signal);
    const [result] = answer.results ?? [];
    if (!result) throw refusal(answer, prepared, this.#url);
    settle(result, prepared, 'none', answer.status);
  }

  /** By its hash first, with its text to a server that does not know the hash. Nothing was executed then. */
  async #persisted(prepared: PreparedCall): Promise<SharedAnswer> {
    const outcome = await this.#authorized(prepared, 'hash').catch((error: unknown) => {
      if (error instanceof GraphQLRequestError) return error;
      throw error;
    });
    const errors = outcome instanceof GraphQLRequestError ? outcome.response.errors : outcome.peek()?.errors;
    const refused = persistenceRefused(errors);
    if (refused === 'unsupported') this.#knowsPersisted = false;
    if (refused) return this.#authorized(prepared, refused === 'unknown' ? 'hash-and-text' : 'no');
    if (outcome instanceof GraphQLRequestError) throw outcome;
    return outcome;
  }

  /** With the current headers, and once more with new ones when those are refused. */
  async #authorized(prepared: PreparedCall, persistence: Persistence): Promise<SharedAnswer> {
    const { headers } = this.#settings;
    const options = signalOf(prepared.call);
    const issued = await headers.current(options);
    try {
      return await this.#send(prepared, issued, persistence);
    } catch (error) {
      if (!headers.canRefresh || !isUnauthorized(error)) throw error;
      return this.#send(prepared, await headers.refreshed(issued, options), persistence);
    }
  }

  async #send(prepared: PreparedCall, issued: IssuedHeaders, persistence: Persistence): Promise<SharedAnswer> {
    const { call, readsOnly, operations, batched } = prepared;
    const json = operations.map((operation) => requestJSON(operation, persistence));
    const body = batched ? `[${json.join(',')}]` : (json[0] ?? '');
    const headers = complete(issued.fields, prepared.headers);
    if (!readsOnly || !(call.dedupe ?? this.#settings.dedupe)) return this.#execute(prepared, headers, body, call);
    let leads = false;
    const key = `${call.timeoutMs}\n${JSON.stringify(headers)}\n${body}`;
    const answer = await this.#flights.run(
      key,
      (signal) => {
        leads = true;
        return this.#execute(prepared, headers, body, { ...call, signal });
      },
      signalOf(call),
    );
    if (!leads) this.#shared += 1;
    return answer;
  }

  async #execute(
    prepared: PreparedCall,
    headers: Readonly<Record<string, string>>,
    body: string,
    { signal, timeoutMs }: CallOptions,
  ): Promise<SharedAnswer> {
    const { subject, type, operationName, readsOnly, call } = prepared;
    const correlationId = visibleText(correlationIdHere() ?? '') || randomUUID();
    const request = { subject, type, operationName, body, headers: { 'x-correlation-id': correlationId, ...headers } };
    const options: ExecuteOptions = {
      key: this.#settings.endpoint.origin,
      subject,
      idempotent: readsOnly || call.idempotencyKey !== undefined,
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    };
    return this.#settings.policy.execute(async (attempt) => {
      const answer = await this.#wire.exchange(request, attempt.signal, attempt.number);
      if (!answer.results) throw refusal(answer, prepared, this.#url);
      return new SharedAnswer(answer, answer.results, attempt.number);
    }, options);
  }

  /** What one result of a call answers. */
  #asked({ batched, subject, operations }: PreparedCall, index: number): Pick<PreparedCall, 'subject' | 'operations'> {
    const encoded = operations[index];
    if (!batched || !encoded) return { subject, operations };
    const name = `${nameOf(encoded.operation)}, number ${index + 1} in a ${subject}`;
    return { subject: name, operations: [encoded] };
  }
}

/** Headers of the integration and, over them, of the call. */
function complete(
  own: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const headers: Record<string, string | undefined> = {
    accept: 'application/graphql-response+json, application/json;q=0.9',
    'user-agent': 'safla-sdk',
    ...own,
    // A GraphQL request is JSON, whatever else is set.
    'content-type': 'application/json',
    ...given,
  };
  for (const name of Object.keys(given)) if (headers[name] === undefined) delete headers[name];
  return headers as Record<string, string>;
}

function signalOf({ signal }: CallOptions): CallOptions {
  return signal ? { signal } : {};
}

function isUnauthorized(error: unknown): boolean {
  return SaflaError.is(error) && (error as GraphQLRequestError | HTTPError).status === 401;
}

/** What servers say of a hash (Apollo's protocol of automatic persisted queries). */
function persistenceRefused(errors: unknown): 'unknown' | 'unsupported' | undefined {
  for (const error of Array.isArray(errors) ? errors : []) {
    const { message, extensions } = (error ?? {}) as { message?: unknown; extensions?: { code?: unknown } };
    const code = extensions?.code;
    if (message === 'PersistedQueryNotFound' || code === 'PERSISTED_QUERY_NOT_FOUND') return 'unknown';
    if (message === 'PersistedQueryNotSupported' || code === 'PERSISTED_QUERY_NOT_SUPPORTED') return 'unsupported';
  }
  return undefined;
}
