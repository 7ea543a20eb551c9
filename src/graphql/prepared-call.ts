import { ValidationError } from '../core/index.js';
import { checkedHeaders } from '../drivers/http/index.js';
import type { DocumentMemo, PreparedOperation } from './document-memo.js';
import type { GraphQLCall, GraphQLOperation } from './graphql-call.js';
import type { GraphQLOperationKind } from './graphql-document.js';
import { type EncodedOperation, encodeOperation } from './payload.js';

/** A call that was checked and can be sent. */
export interface PreparedCall {
  readonly operations: readonly EncodedOperation[];
  readonly batched: boolean;
  /** As it reads in errors: `query GetUser at https://api.example.com/graphql`. */
  readonly subject: string;
  /** `query`, `mutation`, or `batch`. */
  readonly type: string;
  readonly operationName: string | undefined;
  /** Over those of the integration, or, undefined, without one of them; absent when the call has none. */
  readonly headers: Readonly<Record<string, string | undefined>> | undefined;
  /** True when it only reads. */
  readonly readsOnly: boolean;
  readonly call: GraphQLCall;
}

/**
 * Turns a call into what can be sent. Nothing has been sent when this rejects.
 *
 * @throws ValidationError for a document, variables or headers that cannot be sent, and for the wrong kind of operation
 */
export async function prepareCall(call: GraphQLCall, documents: DocumentMemo, url: string): Promise<PreparedCall> {
  const { batched, idempotencyKey } = call;
  const operations: EncodedOperation[] = [];
  for (const given of call.operations) {
    const operation = documents.operation(given.document, given.operationName);
    operations.push(encode(operation instanceof Promise ? await operation : operation, given));
  }
  const [first] = operations;
  if (!first) throw new ValidationError('batch', [{ path: [], message: 'has no operations' }]);
  const subject = `${batched ? `batch of ${operations.length}` : nameOf(first.operation)} at ${url}`;
  return {
    operations,
    batched,
    subject,
    type: batched ? 'batch' : first.operation.kind,
    operationName: batched ? undefined : first.operation.name,
    headers: overrides(call.headers, idempotencyKey, subject),
    readsOnly: operations.every(({ operation }) => operation.kind === 'query'),
    call,
  };
}

/** `query GetUser`, or `query` for an anonymous one. */
export function nameOf({ kind, name }: Pick<PreparedOperation, 'kind' | 'name'>): string {
  return name === undefined ? kind : `${kind} ${name}`;
}

function encode(operation: PreparedOperation, given: GraphQLOperation): EncodedOperation {
  assertKind(operation, given.kind);
  return encodeOperation(operation, given.variables, nameOf(operation));
}

/** @throws ValidationError that says what to call instead */
export function assertKind(operation: PreparedOperation, wanted: GraphQLOperationKind | undefined): void {
  if (wanted === undefined ? operation.kind !== 'subscription' : operation.kind === wanted) return;
  const method = operation.kind === 'subscription' ? 'subscribe' : operation.kind;
  const message = `it is a ${operation.kind}, not a ${wanted ?? 'query or mutation'}: call ${method}()`;
  throw new ValidationError(nameOf(operation), [{ path: [], message }]);
}

function overrides(
  headers: GraphQLCall['headers'],
  idempotencyKey: string | undefined,
  subject: string,
): Record<string, string | undefined> | undefined {
  if (headers === undefined && idempotencyKey === undefined) return undefined;
  const checked = checkedHeaders({ ...headers, 'idempotency-key': idempotencyKey }, subject);
  const removed = Object.keys(headers ?? {}).filter((name) => headers?.[name] === undefined);
  return { ...Object.fromEntries(removed.map((name) => [name.toLowerCase(), undefined])), ...checked };
}
