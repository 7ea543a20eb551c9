import { type CallOptions, openScope } from '../core/index.js';
import { is, type OptionChecks } from '../core/internal.js';
import type { DocumentMemo, PreparedOperation } from './document-memo.js';
import type { ExecutionResult } from './execution-result.js';
import { type GraphQLErrorPolicy, isErrorPolicy } from './graphql-call.js';
import type { GraphQLSettings } from './graphql-options.js';
import { type EncodedOperation, encodeOperation } from './payload.js';
import { assertKind, nameOf } from './prepared-call.js';
import { hasData, requestError, settle } from './results.js';
import { Subscription } from './subscription.js';
import { SubscriptionClient } from './subscription-client.js';
import { bufferChecks, type SubscriptionBuffer } from './subscription-options.js';

/** Settings of one subscription. `timeoutMs` is for its whole life. */
export interface SubscribeOptions extends CallOptions {
  /** Which operation, where the document has several. */
  readonly operationName?: string;
  /** Under `none` an event with errors ends the subscription; under the others its data is given, if it has some. @default the one of the integration */
  readonly errorPolicy?: GraphQLErrorPolicy;
  readonly buffer?: SubscriptionBuffer;
  /** Told after a lost connection was opened and subscribed again: events between the two are gone. */
  readonly onReconnect?: () => void;
}

/** Counters of all subscriptions of one integration. */
export interface SubscriptionStats {
  readonly active: number;
  readonly reconnects: number;
  /** Events that did not fit into a buffer. */
  readonly dropped: number;
}

export const subscribeChecks: OptionChecks<SubscribeOptions> = {
  operationName: is.text,
  errorPolicy: isErrorPolicy,
  buffer: is.options(bufferChecks),
  onReconnect: is.function,
  signal: is.object,
  timeoutMs: is.milliseconds,
};

/** The subscriptions of one integration. */
export class Subscriptions {
  readonly #settings: GraphQLSettings;
  readonly #documents: DocumentMemo;
  readonly #client: SubscriptionClient;
  readonly #open: Set<Subscription<unknown>> = new Set();
  #dropped = 0;

  constructor(settings: GraphQLSettings, documents: DocumentMemo) {
    this.#settings = settings;
    this.#documents = documents;
    this.#client = new SubscriptionClient(settings);
  }

  open(document: unknown, variables: object | undefined, options: SubscribeOptions): Subscription<unknown> {
    const url = new URL(this.#settings.subscriptionUrl);
    const at = `at ${url.origin}${url.pathname}`;
    const errorPolicy = options.errorPolicy ?? this.#settings.errorPolicy;
    let subject = `subscription ${at}`;
    let operations: readonly EncodedOperation[] = [];
    const subscription: Subscription<unknown> = new Subscription<unknown>({
      subject,
      buffer: options.buffer ?? {},
      open: () => {
        const scope = openScope(subject, boundsOf(options));
        this.#open.add(subscription);
        return scope;
      },
      source: async (feed) => {
        const operation = await this.#documents.operation(document, options.operationName);
        assertKind(operation, 'subscription');
        const encoded = encodeOperation(operation, variables, nameOf(operation));
        subject = `${nameOf(operation)} ${at}`;
        operations = [encoded];
        const error = (failure: unknown): void =>
          feed.error(Array.isArray(failure) ? requestError({ errors: failure }, { subject, operations }) : failure);
        const { onReconnect } = options;
        return this.#client.subscribe(
          { subject, payload: payloadOf(operation, encoded), onReconnect },
          { ...feed, error },
        );
      },
      read: (result) => this.#read(result, { subject, operations }, errorPolicy),
      onEnd: (dropped) => {
        this.#dropped += dropped;
        this.#open.delete(subscription);
      },
    });
    return subscription;
  }

  stats(): SubscriptionStats {
    return { active: this.#open.size, reconnects: this.#client.reconnects, dropped: this.#dropped };
  }

  /** Ends all of them with an error. */
  abort(error: unknown): void {
    for (const subscription of [...this.#open]) subscription.abort(error);
  }

  close(name: string, remainingMs: number): Promise<void> {
    return this.#client.close(name, remainingMs);
  }

  #read(
    result: ExecutionResult,
    asked: { readonly subject: string; readonly operations: readonly EncodedOperation[] },
    errorPolicy: GraphQLErrorPolicy,
  ): unknown {
    if (errorPolicy !== 'none' && !hasData(result)) return undefined;
    return settle(result, asked, errorPolicy).data;
  }
}

function boundsOf({ signal, timeoutMs }: SubscribeOptions): CallOptions {
  return { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
}

function payloadOf({ text, name }: PreparedOperation, { variables }: EncodedOperation) {
  return {
    query: text,
    ...(name !== undefined && { operationName: name }),
    ...(variables !== undefined && { variables: JSON.parse(variables) as Record<string, unknown> }),
  };
}
