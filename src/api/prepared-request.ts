import { randomUUID } from 'node:crypto';
import { type CallOptions, type CallScope, ValidationError } from '../core/index.js';
import { correlationIdHere } from '../core/internal.js';
import { checkedHeaders } from '../drivers/http/index.js';
import type { APICall } from './api-call.js';
import type { APISettings } from './api-options.js';
import type { AuthHeader } from './auth/auth-header.js';
import { type EncodedBody, encodeBody } from './request-body.js';

/** A request that was checked and can be sent, as often as `repeatable` says. */
export interface PreparedRequest {
  readonly method: string;
  readonly url: URL;
  /** `GET https://api.example.com/orders`: as it reads in errors, without the query. */
  readonly subject: string;
  /** Complete, credentials included, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header that carries the credential, if there is one. */
  readonly authName: string | undefined;
  /** The credential as a header; the caller's own headers may stand in its place. */
  readonly auth: AuthHeader | undefined;
  readonly body: EncodedBody;
  /** True when sending it twice does no more than sending it once. */
  readonly repeatable: boolean;
  /** Ends with the call. */
  readonly scope: CallScope;
  /** The time the caller gave, if any. */
  readonly timeoutMs: number | undefined;
}

/** RFC 9110 section 9.2.2. */
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/** RFC 9110 section 9.2.1. */
export const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Turns a call into a request. Nothing has been sent when this rejects.
 *
 * @throws ValidationError for an endpoint, query, header or body that cannot be sent
 */
export async function prepare(call: APICall, settings: APISettings, scope: CallScope): Promise<PreparedRequest> {
  const method = methodOf(call);
  const url = settings.reach.resolve(call.path, call.query);
  const subject = `${method} ${url.origin}${url.pathname}`;
  const body = encodeBody(call.body, subject);
  const own = {
    ...call.headers,
    ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
  };
  const given = checkedHeaders(own, subject);
  // What says who we are stays with the base, also when other origins are allowed.
  const atHome = url.origin === settings.base.origin;
  const auth = atHome ? await settings.credentials?.header(scope) : undefined;
  return {
    method,
    url,
    subject,
    headers: {
      accept: 'application/json, text/plain;q=0.9, */*;q=0.8',
      'user-agent': 'safla-sdk',
      'x-correlation-id': visible(correlationIdHere() ?? '') || randomUUID(),
      ...(atHome && settings.headers),
      ...(auth && { [auth.name]: auth.value }),
      ...body.headers,
      ...given,
    },
    authName: auth?.name,
    auth,
    body,
    repeatable: body.replayable && (idempotentMethods.has(method) || call.idempotencyKey !== undefined),
    scope,
    timeoutMs: call.timeoutMs,
  };
}

/** The part of a call that bounds it in time. */
export function optionsOf({ signal, timeoutMs }: CallOptions): CallOptions {
  return { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
}

/** The id in characters that every header can hold; the others as their UTF-8 bytes, percent-encoded. */
function visible(id: string): string {
  return id.replaceAll(/[^\x21-\x7e]+/g, (text) => Buffer.from(text).toString('hex').replaceAll(/../g, '%$&'));
}

function methodOf({ method }: APICall): string {
  const name = typeof method === 'string' ? method.toUpperCase() : '';
  if (/^[A-Z][A-Z-]{0,30}$/.test(name) && name !== 'CONNECT' && name !== 'TRACE') return name;
  throw new ValidationError('request', [{ path: ['method'], message: 'is not a method that can be sent' }]);
}
