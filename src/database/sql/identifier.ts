import { ValidationError } from '../../core/index.js';
import { checkedText } from './parameters.js';

/** NAMEDATALEN - 1 of a server as it is shipped; PostgreSQL cuts longer names without an error. */
const longestBytes = 63;

/**
 * A quoted identifier: `"` doubled, nothing else interpreted (PostgreSQL documentation, 4.1.1).
 *
 * @throws ValidationError for a name that is empty, over 63 bytes, or holds what text cannot
 */
export function quoteIdentifier(name: unknown): string {
  if (typeof name !== 'string' || name === '') refuse('must be a text that is not empty');
  checkedText(name, 'identifier');
  if (Buffer.byteLength(name) > longestBytes)
    refuse(`is longer than ${longestBytes} bytes, which PostgreSQL would cut`);
  return `"${name.replaceAll('"', '""')}"`;
}

function refuse(message: string): never {
  throw new ValidationError('identifier', [{ path: [], message }]);
}
