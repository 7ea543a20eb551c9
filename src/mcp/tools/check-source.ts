import { ConfigurationError } from '../../core/index.js';

/**
 * Refuses what a set of tools cannot stand on, where it is made and not at the first call.
 *
 * @param like What has these methods: `a PostgresDatabase`.
 * @throws ConfigurationError
 */
export function checkSource(owner: string, source: unknown, methods: readonly string[], like: string): void {
  const has = (method: string): boolean =>
    typeof (Object(source) as Readonly<Record<string, unknown>>)[method] === 'function';
  const missing = methods.find((method) => !has(method));
  if (missing === undefined) return;
  throw new ConfigurationError(
    `${owner} needs ${like}, or what has ${methods.join('(), ')}(); ${missing}() is missing`,
    {
      field: owner,
    },
  );
}
