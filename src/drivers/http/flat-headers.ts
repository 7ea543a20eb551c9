import type { HTTPHeaders } from './transport.js';

/** One text per field: repeated lines are joined by `, ` (RFC 9110 section 5.3), cookies by a line break. */
export function flatHeaders(headers: HTTPHeaders): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || value === null) continue;
    const key = name.toLowerCase();
    out[key] = Array.isArray(value) ? value.join(key === 'set-cookie' ? '\n' : ', ') : String(value);
  }
  return out;
}
