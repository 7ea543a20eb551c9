import { type Awaitable, type CallOptions, SaflaError } from '../../core/index.js';
import { is, type OptionCheck } from '../../core/internal.js';
import type { Principal } from '../tools/tool.js';
import { rpcFailure } from './rpc-failure.js';

/**
 * Verifies bearer tokens, as `TokenService` does. The payload names the caller (`sub`) and what it may
 * do (`scope`, words divided by spaces as in RFC 8693, or `scopes`, an array).
 */
export interface TokenVerifier {
  /** Rejects for a token that is not accepted. */
  verify(token: string, options?: CallOptions): Promise<{ readonly payload: unknown }>;
}

/** Says who sent a request, or nobody (undefined): the request is then answered 401. What it throws is, too. */
export type Authorizer = (request: Request) => Awaitable<Principal | undefined>;

/** `token68` of RFC 9110, after the scheme. */
const bearer = /^Bearer +([\w.~+/-]+=*) *$/i;

/** Accepts a {@link TokenVerifier} or an {@link Authorizer}. */
export const authorizer: OptionCheck = (value, field) => {
  if (typeof value !== 'function') is.function((value as Partial<TokenVerifier> | null)?.verify, `${field}.verify`);
};

/**
 * @param metadataURL Where the protected resource describes itself (RFC 9728), for clients that log in by OAuth.
 * @returns who calls, or the refusal (401). A failure that is not about the token is answered 503, for
 * the caller cannot mend it by logging in again.
 */
export async function authorize(
  by: Authorizer | TokenVerifier,
  request: Request,
  metadataURL: string | undefined,
  onFailure: (error: unknown) => void,
): Promise<Principal | Response> {
  try {
    const principal = typeof by === 'function' ? await by(request) : await fromToken(by, request);
    return principal ?? unauthorized(metadataURL, undefined);
  } catch (error) {
    onFailure(error);
    const broken = SaflaError.is(error) && error.retryable;
    return broken
      ? rpcFailure(503, 'Authorization is not available', { 'retry-after': '1' })
      : unauthorized(metadataURL, 'invalid_token');
  }
}

async function fromToken(verifier: TokenVerifier, request: Request): Promise<Principal | undefined> {
  // Only the header counts: tokens in URLs end up in logs (RFC 6750, 5.3).
  const token = bearer.exec(request.headers.get('authorization') ?? '')?.[1];
  if (!token) return undefined;
  const { payload } = await verifier.verify(token, { signal: request.signal });
  const { sub, scope, scopes } = Object(payload) as Readonly<Record<string, unknown>>;
  if (typeof sub !== 'string' || sub === '') return undefined;
  const named = Array.isArray(scopes) ? scopes : typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
  return { id: sub, scopes: named.map(String) };
}

/** RFC 6750, 3: no error code when the request had no credentials. */
function unauthorized(metadataURL: string | undefined, error: string | undefined): Response {
  const parts = [error && `error="${error}"`, metadataURL && `resource_metadata="${metadataURL}"`].filter(Boolean);
  return rpcFailure(401, 'Unauthorized', {
    'www-authenticate': ['Bearer', parts.join(', ')].filter(Boolean).join(' '),
  });
}
