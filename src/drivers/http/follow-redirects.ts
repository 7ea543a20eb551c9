import { maxRedirects, redirected } from './redirect.js';
import { discardBody } from './response-body.js';
import type { HTTPRequest, HTTPResponse } from './transport.js';

/** Sends a request, and what redirects make of it, with one exchange each: the part that all transports share. */
export async function followRedirects(
  request: HTTPRequest,
  exchange: (request: HTTPRequest) => Promise<HTTPResponse>,
): Promise<HTTPResponse> {
  let current = request;
  for (let followed = 0; ; followed++) {
    const response = await exchange(current);
    const next = followed < maxRedirects ? redirected(current, response.status, response.headers) : undefined;
    if (!next) return followed === 0 ? response : { ...response, redirected: true };
    await discardBody(response.body);
    current = next;
  }
}
