import type { CacheableAnswer } from './stored-answer.js';

/**
 * What a write makes doubtful: its URL whatever came back, since a write whose answer was lost may have been
 * done; and where it did not fail, what `Location` and `Content-Location` name in the same origin (RFC
 * 9111 section 4.4).
 */
export function invalidatedBy(url: URL, answer: CacheableAnswer | undefined): ReadonlySet<string> {
  const urls = new Set([url.href]);
  if (answer === undefined || answer.status < 200 || answer.status > 399) return urls;
  for (const name of ['location', 'content-location']) {
    const target = targetOf(answer.headers[name], url);
    if (target?.origin === url.origin) urls.add(target.href);
  }
  return urls;
}

/**
 * True when the answer to a POST stands for what a GET of the same URL would give (RFC 9110 section 9.3.3):
 * it says so by `Content-Location`, and for how long.
 */
export function answersGet(url: URL, { status, headers }: CacheableAnswer): boolean {
  const lasts = 'expires' in headers || /\b(?:s-)?max-?age\b/i.test(headers['cache-control'] ?? '');
  return status === 200 && lasts && targetOf(headers['content-location'], url)?.href === url.href;
}

function targetOf(reference: string | undefined, base: URL): URL | undefined {
  if (reference === undefined || !URL.canParse(reference, base.href)) return undefined;
  const target = new URL(reference, base);
  target.hash = '';
  return target;
}
