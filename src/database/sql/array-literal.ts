import { ValidationError } from '../../core/index.js';
import { encodeParameter } from './parameters.js';

/**
 * The text of a PostgreSQL array (documentation, 8.15.6): every element quoted, `"` and `\` escaped, so
 * that an element cannot end early or become NULL. Arrays inside must have one length per dimension.
 *
 * @throws ValidationError
 */
export function arrayLiteral(items: readonly unknown[]): string {
  const lengths = new Set(items.map((item) => (Array.isArray(item) ? item.length : -1)));
  if (lengths.size > 1) {
    throw new ValidationError('sql.array', [{ path: [], message: 'has parts of different lengths or depths' }]);
  }
  return `{${items.map(element).join(',')}}`;
}

function element(item: unknown, index: number): string {
  if (Array.isArray(item)) return arrayLiteral(item);
  const value = encodeParameter(item, `array element ${index + 1}`);
  if (value === null) return 'NULL';
  const text = typeof value === 'string' ? value : `\\x${Buffer.from(value).toString('hex')}`;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
