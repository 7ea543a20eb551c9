/**
 * Every `code` a {@link SaflaError} can carry, with what it means. Codes are stable: branch on them,
 * not on messages.
 */
export const errorCodes = {
  ACCESS_DENIED: 'The caller is known but may not do this.',
  AUDIT: 'An audit record could not be written, so it is not in the chain.',
  CIRCUIT_OPEN: 'The circuit breaker for this target is open; nothing was sent.',
  CLOSED: 'The object was closed, or is closing, before or during the call.',
  CONFIGURATION: 'An option, file or constructor argument is missing or wrong.',
  CONNECTION: 'The target could not be reached or the connection broke.',
  DATABASE: 'A database refused or failed; `kind` and `sqlstate` say how.',
  DECRYPT_FAILED: 'Sealed data was changed or cut, or the key or context is not the one it was sealed with.',
  GRAPHQL_REQUEST: 'The GraphQL server answered with errors.',
  HTTP_STATUS: 'The server answered with a status outside 200-299.',
  KEY_EXHAUSTED: 'A key may not seal more: its limit of messages or bytes is reached.',
  MISSING_DEPENDENCY: 'An optional package that this feature stands on is not installed.',
  NOT_CACHED: 'No stored answer may be used, and the server was not or could not be asked.',
  NOT_FOUND: 'What was asked for does not exist.',
  OAUTH2: 'The authorization server gave no token.',
  PROTOCOL: 'The other side broke the protocol: its answer cannot be used.',
  QUEUE_FULL: 'A bounded queue is full; nothing was sent.',
  RATE_LIMITED: 'A rate limit was reached, locally or at the server.',
  SERVICE_UNAVAILABLE: 'No way to get a service for tests worked.',
  STORAGE: 'The files of a store cannot be opened, read or written; `kind` says why.',
  TASK_CANCELED: 'A task was canceled before it ended.',
  TASK_FAILED: 'A task that was handed to another agent did not complete; `result` says why.',
  TASK_REJECTED: 'A task was refused before it ran; `rejection` says why.',
  TIMEOUT: 'The call did not finish within its time.',
  TOKEN_REJECTED: 'A token was not accepted; `kind` says why, for logs only.',
  TOOL_FAILED: 'A tool reported a failure that its caller may read.',
  UNKNOWN_KEY: 'Sealed data names a key that the provider does not hold or may not use.',
  UNSUPPORTED: 'This engine or setting cannot do what was asked.',
  VALIDATION: 'Data did not match its schema or the documented shape.',
} as const;

/** One of the keys of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;
