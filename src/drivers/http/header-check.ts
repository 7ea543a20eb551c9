import { ValidationError } from '../../core/index.js';

/** A token of RFC 9110 section 5.6.2. */
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Anything but visible characters, space, tab and the upper half of Latin-1: what could end the line. */
const forbidden = /[^\t\x20-\x7e\x80-\xff]/;
/** Fields that frame or route the message: the transport's alone. */
const reserved: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Says what is wrong with a header, or undefined. Values are never repeated in the text.
 */
export function headerFault(name: string, value: unknown): string | undefined {
  if (!fieldName.test(name)) return 'is not a header name';
  if (reserved.has(name.toLowerCase())) return 'is set by the transport and cannot be given';
  if (typeof value !== 'string') return `must be a text, got ${value === null ? 'null' : typeof value}`;
  if (forbidden.test(value)) return 'has a line break or another character that a header cannot hold';
  return undefined;
}

/**
 * Headers by lower-case name; entries that are undefined are left out.
 *
 * @throws ValidationError for a name or value that could change the request
 */
export function checkedHeaders(
  headers: Readonly<Record<string, string | undefined>>,
  subject: string,
): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const fault = headerFault(name, value);
    if (fault) throw new ValidationError(subject, [{ path: ['headers', printable(name)], message: fault }]);
    out[name.toLowerCase()] = value;
  }
  return out;
}

function printable(name: string): string {
  return name.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 64);
}

/** A text in characters that every header can hold; the others as their UTF-8 bytes, percent-encoded. */
export function visibleText(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]+/g, (part) => Buffer.from(part).toString('hex').replaceAll(/../g, '%$&'));
}
