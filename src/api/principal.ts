import { createHash } from 'node:crypto';
import { isSecretKey } from '../core/internal.js';

/**
 * Whom a request speaks for: a hash over every header that can tell users apart, so that no cache entry
 * of one is ever given to another. Secrets themselves are not kept.
 *
 * @param authName the header of the configured credential, whatever its name
 */
export function principalOf(headers: Readonly<Record<string, string>>, authName: string | undefined): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name === authName || isSecretKey(name)) parts.push(`${name}\n${value}`);
  }
  if (parts.length === 0) return '';
  return createHash('sha256').update(parts.sort().join('\n\n')).digest('base64url');
}
