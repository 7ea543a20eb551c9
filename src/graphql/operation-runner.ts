import { randomUUID } from 'node:crypto';
import { type CallScope, ProtocolError, SaflaError } from '../core/index.js';
import { correlationIdHere } from '../core/internal.js';
import { type HTTPError, visibleText } from '../drivers/http/index.js';
import type { DocumentMemo } from './document-memo.js';
import type { GraphQLAnswer, GraphQLCall } from './graphql-call.js';
import type { GraphQLSettings } from './graphql-options.js';
import { GraphQLRequestError } from './graphql-request-error.js';
import type { GraphQLWire } from './graphql-wire.js';
import type { IssuedHeaders } from './header-source.js';
import { type OutgoingHeaders, outgoingHeaders } from './outgoing-headers.js';
import { type Persistence, requestJSON } from './payload.js';
import { nameOf, type PreparedCall, prepareCall } from './prepared-call.js';
import { type Asked, refusal, settle } from './results.js';
import { SharedAnswer } from './shared-answer.js';
import { SharedQueries } from './shared-queries.js';

/** Runs a call: headers, once more after a 401 > callers at the same time share one > policy > wire > results. */
export class OperationRunner {
  readonly #settings: GraphQLSettings;
  readonly #origin: string;
  readonly #url: string;
  readonly #documents: DocumentMemo;
  readonly #wire: GraphQLWire;
  readonly #sharing: SharedQueries<SharedAnswer> = new SharedQueries();
  #knowsPersisted = true;

  constructor(settings: GraphQLSettings, documents: DocumentMemo, wire: GraphQLWire) {
    this.#settings = settings;
    this.#origin = settings.endpoint.origin;
    this.#url = this.#origin + settings.endpoint.pathname;
    this.#documents = documents;
    this.#wire = wire;
  }

  /** How many calls got the answer of another one. */
  get shared(): number {
    return this.#sharing.shared;
  }

  async run(call: GraphQLCall, scope: CallScope): Promise<GraphQLAnswer> {
    const prepared = await prepareCall(call, this.#documents, this.#url);
    const persist = this.#settings.persistedQueries && this.#knowsPersisted && !prepared.batched;
    const answer = await (persist ? this.#persisted(prepared, scope) : this.#authorized(prepared, scope, 'no'));
    const { status, headers, attempts } = answer;
    const found = answer.take();
    if (found.length !== prepared.operations.length) {
      const expected = prepared.operations.length;
      throw new ProtocolError(`${prepared.subject}: the answer has ${found.length} results instead of ${expected}`);
    }
    const errorPolicy = call.errorPolicy ?? this.#settings.errorPolicy;
    const results = found.map((result, index) => settle(result, asked(prepared, index), errorPolicy, status));
    return { results, status, headers, attempts };
  }

  /** Sends a query once, past policy and sharing. Rejects when it fails in any way. */
  async probe(document: string, scope: CallScope): Promise<void> {
    const call: GraphQLCall = { operations: [{ kind: 'query', document }], batched: false };
    const prepared = await prepareCall(call, this.#documents, this.#url);
    const headers = outgoingHeaders(await this.#settings.headers.current(scope), prepared.headers);
    const body = prepared.operations.map((operation) => requestJSON(operation)).join('');
    const answer = await this.#wire.exchange({ ...prepared, headers: headers.fields, body }, scope);
    const [result] = answer.results ?? [];
    if (!result) throw refusal(answer, prepared, this.#url);
    settle(result, prepared, 'none', answer.status);
  }

  /** By its hash first, with its text to a server that does not know the hash. Nothing was executed then. */
  async #persisted(prepared: PreparedCall, scope: CallScope): Promise<SharedAnswer> {
    const outcome = await this.#authorized(prepared, scope, 'hash').catch((error: unknown) => {
      if (error instanceof GraphQLRequestError) return error;
      throw error;
    });
    const errors = outcome instanceof GraphQLRequestError ? outcome.response.errors : outcome.peek()?.errors;
    const refused = persistenceRefused(errors);
    if (refused === 'unsupported') this.#knowsPersisted = false;
    if (refused) return this.#authorized(prepared, scope, refused === 'unknown' ? 'hash-and-text' : 'no');
    if (outcome instanceof GraphQLRequestError) throw outcome;
    return outcome;
  }

  /** With the current headers, and once more with new ones when those are refused. */
  async #authorized(prepared: PreparedCall, scope: CallScope, persistence: Persistence): Promise<SharedAnswer> {
    const { headers } = this.#settings;
    const given = headers.current(scope);
    const issued = given instanceof Promise ? await given : given;
    if (!headers.canRefresh) return this.#send(prepared, scope, issued, persistence);
    try {
      return await this.#send(prepared, scope, issued, persistence);
    } catch (error) {
      if (!isUnauthorized(error)) throw error;
      return this.#send(prepared, scope, await headers.refreshed(issued, scope), persistence);
    }
  }

  #send(
    prepared: PreparedCall,
    scope: CallScope,
    issued: IssuedHeaders,
    persistence: Persistence,
  ): Promise<SharedAnswer> {
    const { call, readsOnly, operations, batched } = prepared;
    const json = operations.map((operation) => requestJSON(operation, persistence));
    const body = batched ? `[${json.join(',')}]` : (json[0] ?? '');
    const headers = outgoingHeaders(issued, prepared.headers);
    if (!readsOnly || !(call.dedupe ?? this.#settings.dedupe)) return this.#execute(prepared, scope, headers, body);
    const asked = operations.map(({ operation, variables }) => `${operation.id} ${variables}`).join();
    return this.#sharing.run(`${headers.key} ${persistence} ${asked}`, scope, () =>
      this.#execute(prepared, scope, headers, body),
    );
  }

  #execute(prepared: PreparedCall, scope: CallScope, { fields }: OutgoingHeaders, body: string): Promise<SharedAnswer> {
    const { subject, type, operationName, readsOnly, call } = prepared;
    const correlationId = visibleText(correlationIdHere() ?? '') || randomUUID();
    const request = { subject, type, operationName, body, headers: { 'x-correlation-id': correlationId, ...fields } };
    const idempotent = readsOnly || call.idempotencyKey !== undefined;
    return this.#settings.policy.execute(
      async (attempt) => {
        const answer = await this.#wire.exchange(request, attempt, attempt.number);
        if (!answer.results) throw refusal(answer, prepared, this.#url);
        return new SharedAnswer(answer, answer.results, attempt.number);
      },
      { scope, key: this.#origin, subject, idempotent },
    );
  }
}

/** What one result of a call answers. */
function asked({ batched, subject, operations }: PreparedCall, index: number): Asked {
  const encoded = operations[index];
  if (!batched || !encoded) return { subject, operations };
  const name = `${nameOf(encoded.operation)}, number ${index + 1} in a ${subject}`;
  return { subject: name, operations: [encoded] };
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
