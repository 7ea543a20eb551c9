import type { GraphQLFormattedError } from './graphql-call.js';

/** A result in its specified shape (GraphQL specification, section 7.1). */
export interface ExecutionResult {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The results of an answer, of a batch or a single one; undefined when one of them has not the shape of a result. */
export function executionResults(text: string): readonly ExecutionResult[] | undefined {
  const content = parsed(text);
  const results = Array.isArray(content) ? content : [content];
  return results.every(isResult) ? results : undefined;
}

function isResult(value: unknown): value is ExecutionResult {
  if (!isRecord(value)) return false;
  const { data, errors, extensions } = value;
  // Some servers write null for what is not there.
  return isRecord(data ?? {}) && Array.isArray(errors ?? []) && isRecord(extensions ?? {});
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
