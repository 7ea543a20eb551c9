import { checkText, refuse } from './names.js';

/** Operators that run JavaScript on the server. */
const scripts = new Set(['$where', '$function', '$accumulator']);

/**
 * A document in MongoDB's own words as the host wrote it, without JavaScript for the server.
 *
 * @param rewrite gives another value for a member, or undefined to go on with it
 * @throws ValidationError
 */
export function trustedDocument(
  document: unknown,
  subject: string,
  rewrite: (name: string, value: unknown) => unknown = () => undefined,
): Record<string, unknown> {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    refuse(subject, [], 'must be an object');
  return visit(document, [], []) as Record<string, unknown>;

  function visit(value: unknown, path: readonly PropertyKey[], above: readonly object[]): unknown {
    if (value === undefined) refuse(subject, path, 'is undefined');
    if (typeof value === 'string') checkText(value, subject, path);
    if (typeof value !== 'object' || value === null) return value;
    const literal = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
    if (!literal && Object.getPrototypeOf(value) !== null) return value;
    if (above.includes(value)) refuse(subject, path, 'contains itself');
    if (above.length >= 180) refuse(subject, path.slice(0, 3), 'is nested too deep');
    const inner = [...above, value];
    if (Array.isArray(value)) return (value as unknown[]).map((item, index) => visit(item, [...path, index], inner));
    const out = Object.create(null) as Record<string, unknown>;
    for (const [name, member] of Object.entries(value)) {
      const at = [...path, name];
      if (scripts.has(name)) refuse(subject, at, 'runs JavaScript on the server, which is refused');
      out[name] = rewrite(name, member) ?? visit(member, at, inner);
    }
    return out;
  }
}
