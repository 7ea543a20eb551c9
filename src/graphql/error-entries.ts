import type { GraphQLErrorEntry } from './graphql-request-error.js';

const maxEntries = 50;
const maxMessage = 1_000;

/** The errors of an answer in their specified form, whatever came; `clean` takes out what was sent. */
export function errorEntries(errors: unknown, clean: (text: string) => string): GraphQLErrorEntry[] {
  const list = Array.isArray(errors) ? errors : [errors];
  return list.slice(0, maxEntries).map((error) => entryOf(error, clean));
}

function entryOf(error: unknown, clean: (text: string) => string): GraphQLErrorEntry {
  const { message, path, locations, extensions } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const code = (extensions as { code?: unknown } | undefined)?.code;
  return Object.freeze({
    message: typeof message === 'string' ? clean(message).slice(0, maxMessage) : 'an error without a message',
    ...(Array.isArray(path) && { path: path.filter(isSegment) }),
    ...(Array.isArray(locations) && {
      locations: locations.filter(isLocation).map(({ line, column }) => ({ line, column })),
    }),
    ...(typeof code === 'string' && { code: clean(code).slice(0, 100) }),
  });
}

function isSegment(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isLocation(value: unknown): value is { readonly line: number; readonly column: number } {
  const { line, column } = (value ?? {}) as { line?: unknown; column?: unknown };
  return typeof line === 'number' && typeof column === 'number';
}
