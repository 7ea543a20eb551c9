/**
 * Escapes everything but the unreserved characters (RFC 3986 section 2.3), so that the value stays one
 * value wherever it is put.
 *
 * @throws URIError for a lone surrogate
 */
export function escaped(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * For `allowReserved`: leaves reserved characters as they are, except those that would end the value or
 * begin another parameter. A percent sign is escaped, so that the server reads what was given.
 */
export function escapedButReserved(text: string): string {
  return text
    .split(/([:/?@!$'()*,;])/)
    .map((part, index) => (index % 2 === 1 ? part : escaped(part)))
    .join('');
}
