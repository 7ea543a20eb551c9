import { parseEnv } from 'node:util';
import { readText } from './read-text.js';

/**
 * Reads variables in the form of `.env` files: `NAME=value` lines, quotes, comments.
 *
 * @throws ConfigurationError for a file that cannot be read
 */
export async function readEnvFile(file: string): Promise<Record<string, string>> {
  return { ...parseEnv(await readText(file)) } as Record<string, string>;
}
