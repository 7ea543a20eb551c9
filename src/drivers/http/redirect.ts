import type { HTTPHeaders, HTTPRequest } from './transport.js';

/** How many redirects are followed before the last one is handed to the caller. */
export const maxRedirects = 5;

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What a request to another origin takes along: how to answer, nothing about who asks. */
const portableHeaders: ReadonlySet<string> = new Set(['accept', 'accept-encoding', 'accept-language', 'user-agent']);

/**
 * The request that follows a redirect, or undefined to hand the answer to the caller. Only GET and HEAD are
 * repeated, and only where `mayFollow` allows it, by default inside the origin. Neither credentials nor any
 * header of the caller's follow to another origin.
 */
export function redirected(request: HTTPRequest, status: number, headers: HTTPHeaders): HTTPRequest | undefined {
  if (!redirectStatuses.has(status) || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined;
  const { location } = headers;
  if (typeof location !== 'string' || !URL.canParse(location, request.url)) return undefined;
  const from = new URL(request.url);
  const target = new URL(location, from);
  if (!/^https?:$/.test(target.protocol) || target.username || target.password) return undefined;
  const stays = target.origin === from.origin;
  if (!(request.mayFollow?.(target, from) ?? stays)) return undefined;
  return stays ? { ...request, url: target.href } : { ...leaving(request), url: target.href };
}

function leaving({ headers = {}, body: _, ...request }: HTTPRequest): HTTPRequest {
  const portable = Object.entries(headers).filter(([name]) => portableHeaders.has(name.toLowerCase()));
  return { ...request, headers: Object.fromEntries(portable) };
}
