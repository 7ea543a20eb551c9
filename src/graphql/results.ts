import { ProtocolError, type SaflaError } from '../core/index.js';
import { HTTPError, parseRetryAfter } from '../drivers/http/index.js';
import { echoMask } from './echo-mask.js';
import { errorEntries } from './error-entries.js';
import type { ExecutionAnswer } from './execution-client.js';
import type { ExecutionResult } from './execution-result.js';
import type { GraphQLErrorPolicy, GraphQLResult } from './graphql-call.js';
import { GraphQLRequestError, type GraphQLResponseBody } from './graphql-request-error.js';
import type { EncodedOperation } from './payload.js';

/** What a result answers. */
export interface Asked {
  /** As it reads in errors. */
  readonly subject: string;
  /** What was sent, to be masked in what comes back. */
  readonly operations: readonly EncodedOperation[];
}

const largestErrorCharacters = 65_536;

/**
 * One result under an error policy.
 *
 * @throws GraphQLRequestError ProtocolError
 */
export function settle(
  result: ExecutionResult,
  asked: Asked,
  errorPolicy: GraphQLErrorPolicy,
  status?: number,
): GraphQLResult {
  const { data, errors, extensions } = result;
  const failed = hasErrors(result);
  if (!failed && !hasData(result)) throw new ProtocolError(`${asked.subject}: the answer has neither data nor errors`);
  if (failed && (errorPolicy === 'none' || (errorPolicy === 'ignore' && !hasData(result)))) {
    throw requestError(result, asked, { status });
  }
  return {
    data: data ?? null,
    ...(failed && errorPolicy === 'all' && errors && { errors }),
    ...(extensions && { extensions }),
  };
}

/** The error for an answer whose status is not 200-299: with the server's errors where it has some in the form of GraphQL. */
export function refusal({ status, headers, text }: ExecutionAnswer, asked: Asked, url: string): SaflaError {
  const content = parsed(text);
  const body = [content].flat().find((part) => hasErrors((part ?? {}) as ExecutionResult));
  if (body)
    return requestError(body as GraphQLResponseBody, asked, {
      status,
      retryAfterMs: parseRetryAfter(headers['retry-after']),
    });
  const data = text.length > largestErrorCharacters || text === '' ? undefined : (content ?? text);
  return new HTTPError({ method: 'POST', url, status, headers, data });
}

/** The error for a result, or for a message of a subscription, that has errors. */
export function requestError(
  response: GraphQLResponseBody,
  { subject, operations }: Asked,
  facts: { readonly status?: number | undefined; readonly retryAfterMs?: number | undefined } = {},
): GraphQLRequestError {
  const variables = operations.map((each) => (each.variables === undefined ? undefined : JSON.parse(each.variables)));
  const literals = operations.flatMap(({ operation }) => operation.literals());
  const errors = errorEntries(response.errors, echoMask(variables, literals));
  return new GraphQLRequestError({ subject, errors, response, ...facts });
}

export function hasData({ data }: ExecutionResult): boolean {
  return data !== undefined && data !== null;
}

function hasErrors({ errors }: GraphQLResponseBody): boolean {
  return Array.isArray(errors) && errors.length > 0;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
