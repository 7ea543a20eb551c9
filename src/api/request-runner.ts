import { createHash } from 'node:crypto';
import { type CallScope, openScope } from '../core/index.js';
import { type HTTPAnswer, HTTPError } from '../drivers/http/index.js';
import { type Attempt, Coalescer, type ExecuteOptions } from '../resilience/index.js';
import type { APICall, APIResponse } from './api-call.js';
import type { APISettings } from './api-options.js';
import type { CacheRequest, HTTPCache } from './cache/http-cache.js';
import { type PreparedRequest, prepare, safeMethods } from './prepared-request.js';
import { principalOf } from './principal.js';
import { decodeContent } from './response-content.js';
import type { Wire } from './wire.js';

/** A successful answer and what it took to get it. */
interface Outcome {
  readonly answer: Pick<HTTPAnswer, 'status' | 'headers' | 'body'>;
  readonly attempts: number;
  readonly ageMs: number;
  readonly fromCache: boolean;
}

/** Fields that make a request ask for something other than the whole, current answer. */
const conditional = ['range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;
const largestErrorBytes = 65_536;

/** Runs a call: cache > callers at the same time share one > policy > wire > data. */
export class RequestRunner {
  readonly #settings: APISettings;
  readonly #wire: Wire;
  readonly #flights: Coalescer<Outcome> = new Coalescer();

  constructor(settings: APISettings, wire: Wire) {
    this.#settings = settings;
    this.#wire = wire;
  }

  async run(call: APICall, scope: CallScope): Promise<APIResponse> {
    const request = await prepare(call, this.#settings, scope);
    const cache = call.cache === false ? undefined : this.#cacheFor(request);
    const outcome = cache ? await this.#throughCache(cache, request) : await this.#send(request);
    return toResponse(outcome, request);
  }

  /** Sends once, past cache and policy, and gives the answer whatever its status. */
  async probe(call: APICall, scope: CallScope): Promise<HTTPAnswer> {
    return this.#wire.exchange(await prepare(call, this.#settings, scope), scope);
  }

  #cacheFor({ method, headers, body }: PreparedRequest): HTTPCache | undefined {
    const usable = method === 'GET' && body.content === undefined && !conditional.some((name) => name in headers);
    return usable ? this.#settings.cache : undefined;
  }

  async #throughCache(cache: HTTPCache, request: PreparedRequest): Promise<Outcome> {
    const asked = await this.#toCacheRequest(request);
    if (!asked) return this.#send(request);
    const hit = cache.lookup(asked);
    if (hit) return { answer: hit, attempts: 0, ageMs: hit.ageMs, fromCache: true };
    const fill = cache.beginFill(asked.url);
    try {
      const keep = async (answer: HTTPAnswer): Promise<void> => {
        // An interceptor that changes the credentials on the way out makes it somebody else's answer.
        const sentBy = principalOf(answer.sent, request.authName);
        if (sentBy === asked.principal) await cache.store(asked, answer, fill);
      };
      const load = async (signal: AbortSignal): Promise<Outcome> => {
        const { timeoutMs, subject } = request;
        using scope = openScope(subject, this.#settings.policy.scopeOptions({ signal, timeoutMs }));
        return await this.#send({ ...request, scope }, keep);
      };
      return await this.#flights.run(flightKey(asked, request, fill.id), load, request.scope);
    } finally {
      cache.endFill(asked.url, fill);
    }
  }

  /** Undefined when a ready client adds something to every request that the cache cannot tell apart. */
  async #toCacheRequest({ url, headers, authName }: PreparedRequest): Promise<CacheRequest | undefined> {
    const defaults = (await this.#wire.clientInUse())?.defaults;
    if (defaults?.auth || defaults?.params) return undefined;
    const inherited = textsOf(defaults?.headers, defaults?.headers.common, defaults?.headers.get);
    return { url: url.href, principal: principalOf({ ...inherited, ...headers }, authName), headers };
  }

  async #send(request: PreparedRequest, keep?: (answer: HTTPAnswer) => Promise<void>): Promise<Outcome> {
    const { policy, cache } = this.#settings;
    try {
      return await policy.execute((attempt) => this.#attempt(request, attempt, keep), this.#executeOptions(request));
    } finally {
      // Also after a failure: a write whose answer was lost may have been done.
      if (!safeMethods.has(request.method)) cache?.invalidate(request.url.href);
    }
  }

  async #attempt(
    request: PreparedRequest,
    attempt: Attempt,
    keep?: (answer: HTTPAnswer) => Promise<void>,
  ): Promise<Outcome> {
    const answer = await this.#wire.exchange(request, attempt, attempt.number);
    if (answer.status < 200 || answer.status > 299) throw errorOf(request, answer);
    await keep?.(answer);
    return { answer, attempts: attempt.number, ageMs: 0, fromCache: false };
  }

  #executeOptions({ url, subject, repeatable, scope }: PreparedRequest): ExecuteOptions {
    return { scope, key: url.origin, subject, idempotent: repeatable };
  }
}

/** Callers share a request only if they would have sent the same and wait the same time. Holds no secrets. */
function flightKey(asked: CacheRequest, { subject, headers, timeoutMs }: PreparedRequest, fill: number): string {
  const { 'x-correlation-id': _, ...same } = headers;
  const details = JSON.stringify([fill, timeoutMs, asked.principal, asked.url, same]);
  return `${subject} ${createHash('sha256').update(details).digest('base64url')}`;
}

function toResponse({ answer, attempts, ageMs, fromCache }: Outcome, { subject }: PreparedRequest): APIResponse {
  const { status, headers } = answer;
  return { data: decodeContent(answer, subject), status, headers, fromCache, ageMs, attempts };
}

function errorOf({ method, url, subject }: PreparedRequest, answer: HTTPAnswer): HTTPError {
  const { status, headers } = answer;
  return new HTTPError({ method, url: url.href, status, headers, data: errorData(answer, subject) });
}

function errorData(answer: HTTPAnswer, subject: string): unknown {
  if (answer.body.byteLength > largestErrorBytes) return undefined;
  try {
    return decodeContent(answer, subject);
  } catch {
    // An error page that is not what it says: the status is what counts.
    return undefined;
  }
}

function textsOf(...groups: readonly unknown[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of groups.flatMap((group) => Object.entries(group ?? {}))) {
    if (typeof value === 'string') out[name.toLowerCase()] = value;
  }
  return out;
}
