import type { HTTPHeaders, HTTPRequest } from './transport.js';

/** How many redirects are followed before the last one is handed to the caller. */
export const maxRedirects = 5;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Where to go next, or undefined to hand the answer to the caller. Only GET and HEAD are repeated, and
 * only inside the origin and where `mayFollow` allows it: credentials and other headers must not follow
 * to another host.
 */
export function redirectTarget(request: HTTPRequest, status: number, headers: HTTPHeaders): string | undefined {
  if (!redirectStatuses.has(status) || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined;
  const { location } = headers;
  if (typeof location !== 'string' || !URL.canParse(location, request.url)) return undefined;
  const target = new URL(location, request.url);
  if (target.origin !== new URL(request.url).origin || target.username || target.password) return undefined;
  return request.mayFollow?.(target) === false ? undefined : target.href;
}
