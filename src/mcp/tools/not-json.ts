/** Deeper than any answer a client would read, and shallow enough for recursion. */
const maxDepth = 500;

/**
 * Says why a value cannot be sent as JSON, and where: `items.3.id is a BigInt`. Undefined when it
 * can. Follows `JSON.stringify`: members that are undefined, functions or symbols are left out, so
 * only the root may not be one of those.
 */
export function whyNotJSON(value: unknown): string | undefined {
  if (value === undefined) return 'it is undefined; return a value, for example { ok: true }';
  if (typeof value === 'function' || typeof value === 'symbol') return `it is a ${typeof value}`;
  return search(value, [], []);
}

function search(value: unknown, path: readonly string[], parents: readonly object[]): string | undefined {
  if (typeof value === 'bigint') return `${place(path)} is a BigInt; convert it to a string or a number`;
  if (typeof value !== 'object' || value === null) return undefined;
  if (path.length > maxDepth) return `it is nested more than ${maxDepth} levels deep`;
  if (parents.includes(value)) return `${place(path)} refers back to a value that contains it`;
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = search(member, [...path, key], [...parents, value]);
    if (found) return found;
  }
  return undefined;
}

function place(path: readonly string[]): string {
  return path.length === 0 ? 'it' : path.join('.');
}
