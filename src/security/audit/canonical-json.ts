import { encodeJSON } from '../../core/internal.js';

/**
 * JSON in the one spelling of RFC 8785: members in the order of their UTF-16 code units, no white space, numbers
 * and texts as ECMAScript writes them.
 *
 * @throws ValidationError for what JSON cannot carry
 */
export function canonicalJSON(value: unknown, subject: string): string {
  return write(JSON.parse(encodeJSON(value, subject)));
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join(',')}}`;
}
