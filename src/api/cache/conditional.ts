import type { Headers, StoredAnswer } from './stored-answer.js';

/** Fields that make a request conditional (RFC 9110 section 13.1). */
export const conditions: readonly string[] = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
];

/** The fields by which a server can say that a stored answer is still right; none without a validator. */
export function validatorsOf({ headers }: StoredAnswer): Headers {
  const { etag, 'last-modified': lastModified } = headers;
  return { ...(etag && { 'if-none-match': etag }), ...(lastModified && { 'if-modified-since': lastModified }) };
}

/**
 * True when a caller's own condition holds for a stored answer, so that 304 says all (RFC 9111 section
 * 4.3.2): `If-None-Match` by weak comparison, without it `If-Modified-Since`.
 */
export function isNotModified(request: Headers, { headers }: StoredAnswer): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since } = request;
  if (tags !== undefined) {
    const stored = opaqueTag(headers.etag ?? '');
    return tags.trim() === '*' || (stored !== '' && tagsOf(tags).some((tag) => opaqueTag(tag) === stored));
  }
  const known = Date.parse(headers['last-modified'] ?? headers.date ?? '');
  return since !== undefined && known <= Date.parse(since);
}

/**
 * True when an answer without content, a 304 or one to HEAD, speaks of the version that is stored (RFC 9111
 * sections 4.3.4 and 4.3.5): all that both say of it is the same.
 */
export function isSameVersion(
  { headers, body }: StoredAnswer,
  answer: { readonly status: number; readonly headers: Headers },
): boolean {
  const { etag, 'last-modified': lastModified, 'content-length': length, 'content-encoding': coding } = answer.headers;
  if (etag !== undefined && opaqueTag(etag) !== opaqueTag(headers.etag ?? '')) return false;
  if (lastModified !== undefined && lastModified !== headers['last-modified']) return false;
  return answer.status === 304 || length === undefined || coding !== undefined || Number(length) === body.byteLength;
}

function tagsOf(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"|[^\s,]+/g) ?? [];
}

function opaqueTag(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}
