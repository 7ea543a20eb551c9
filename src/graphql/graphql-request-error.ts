import { SaflaError } from '../core/index.js';
import { nameError } from '../core/internal.js';

/** One error of an answer, with what was sent masked in its message. */
export interface GraphQLErrorEntry {
  readonly message: string;
  /** Response keys and list indexes down to the field that failed; absent when the request as a whole did. */
  readonly path?: readonly (string | number)[];
  /** Places in the document, counted from 1. */
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  /** What the server gave as `extensions.code`: `UNAUTHENTICATED`, `BAD_USER_INPUT`. */
  readonly code?: string;
}

/** What a {@link GraphQLRequestError} is made of. */
export interface GraphQLRequestErrorFacts {
  /** The call, as it reads in errors: `query GetUser at https://api.example.com/graphql`. */
  readonly subject: string;
  readonly errors: readonly GraphQLErrorEntry[];
  /** Of the HTTP answer; absent for an event of a subscription. */
  readonly status?: number | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The answer as it came. */
  readonly response: GraphQLResponseBody;
}

/** An answer as the server gave it (GraphQL specification, section 7.1). */
export interface GraphQLResponseBody {
  readonly data?: unknown;
  readonly errors?: unknown;
  readonly extensions?: unknown;
}

const retryableStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * The server answered with errors. `path`, `locations` and `serverCode` are those of the first one.
 * Retryable when the HTTP status is 408, 429, 500, 502, 503 or 504.
 *
 * Message, `inspect` and JSON hold the server's texts with every variable and literal that was sent masked.
 *
 * @example catch (error) { if (error instanceof GraphQLRequestError && error.serverCode === 'NOT_FOUND') return undefined; throw error; }
 */
export class GraphQLRequestError extends SaflaError {
  static {
    nameError(this, 'GraphQLRequestError');
  }

  readonly errors: readonly GraphQLErrorEntry[];
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  /** `extensions.code` of the first error; `code` is the SDK's own. */
  readonly serverCode?: string;
  readonly status?: number;
  /** What `Retry-After` asked for, in milliseconds from when the answer came. */
  readonly retryAfterMs?: number;
  readonly #response: GraphQLResponseBody;

  constructor({ subject, errors, status, retryAfterMs, response }: GraphQLRequestErrorFacts) {
    super(`${subject}: ${summary(errors, status)}`, {
      code: 'GRAPHQL_REQUEST',
      retryable: status !== undefined && retryableStatuses.has(status),
    });
    const [first] = errors;
    this.errors = errors;
    if (first?.path) this.path = first.path;
    if (first?.locations) this.locations = first.locations;
    if (first?.code !== undefined) this.serverCode = first.code;
    if (status !== undefined) this.status = status;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    this.#response = response;
  }

  /** The data that came beside the errors, `null` where a field failed; undefined when nothing was executed. */
  get data(): unknown {
    return this.#response.data;
  }

  /** The answer as it came, unmasked: loggers, `inspect` and JSON leave it out. */
  get response(): GraphQLResponseBody {
    return this.#response;
  }
}

function summary(errors: readonly GraphQLErrorEntry[], status: number | undefined): string {
  const [first] = errors;
  const rest = errors.length - 1;
  return [
    status !== undefined && (status < 200 || status > 299) ? `answered ${status}: ` : '',
    first?.message ?? 'the answer has neither data nor errors',
    first?.path ? ` (at ${first.path.join('.')})` : '',
    first?.code === undefined ? '' : ` [${first.code}]`,
    rest > 0 ? `; and ${rest} more` : '',
  ].join('');
}
