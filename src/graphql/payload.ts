import { ValidationError } from '../core/index.js';
import { encodeJSON } from '../core/internal.js';
import type { PreparedOperation } from './document-memo.js';

/** One operation with its variables, encoded. */
export interface EncodedOperation {
  readonly operation: PreparedOperation;
  /** As JSON; undefined when there are none. */
  readonly variables: string | undefined;
}

/**
 * @throws ValidationError for variables that JSON cannot carry, with their path
 */
export function encodeOperation(operation: PreparedOperation, variables: unknown, subject: string): EncodedOperation {
  if (variables === undefined || variables === null) return { operation, variables: undefined };
  if (typeof variables !== 'object' || Array.isArray(variables)) {
    throw new ValidationError(subject, [{ path: ['variables'], message: 'must be an object of variables by name' }]);
  }
  return { operation, variables: encodeJSON(variables, `variables of ${subject}`) };
}

/** Whether a document goes as text, as its hash, or as both. */
export type Persistence = 'no' | 'hash' | 'hash-and-text';

/** The JSON of a request (GraphQL over HTTP, section 5.1; the hash after Apollo's automatic persisted queries). */
export function requestJSON({ operation, variables }: EncodedOperation, persistence: Persistence = 'no'): string {
  const { query, operationName } = operation.json;
  const rest = `${operationName}${variables === undefined ? '' : `,"variables":${variables}`}}`;
  if (persistence === 'no') return `{${query}${rest}`;
  const hash = `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${operation.sha256()}"}}`;
  return persistence === 'hash' ? `{${hash}${rest}` : `{${hash},${query}${rest}`;
}
