import { createHash } from 'node:crypto';
import {
  CircuitOpenError,
  ConnectionError,
  detach,
  openScope,
  QueueFullError,
  RateLimitError,
  TimeoutError,
} from '../../core/index.js';
import { type HTTPAnswer, HTTPError } from '../../drivers/http/index.js';
import { Coalescer, type Policy } from '../../resilience/index.js';
import type { APICall } from '../api-call.js';
import type { PreparedRequest } from '../prepared-request.js';
import { principalOf } from '../principal.js';
import { partOf } from './byte-range.js';
import { directivesOf } from './cache-control.js';
import { conditions, isNotModified, isSameVersion, validatorsOf } from './conditional.js';
import { type ContentReader, contentReader } from './content-reader.js';
import type { Fill } from './fills.js';
import type { Exchanged } from './freshness.js';
import type { HTTPCache } from './http-cache.js';
import { answersGet } from './invalidation.js';
import { NotCachedError } from './not-cached-error.js';
import type { Observer, Outcome } from './outcome.js';
import { Recall } from './recall.js';
import { ageOf, type CacheableAnswer, type CacheRequest, type StoredAnswer } from './stored-answer.js';

/** What a cached exchange stands on. */
export interface CachedExchangeParts {
  readonly cache: HTTPCache;
  readonly policy: Policy;
  /** Sends under the policy. Rejects for a status outside 200-299 that the observer leaves as it is. */
  readonly send: (request: PreparedRequest, observer: Observer) => Promise<Outcome>;
  /** Headers that are added to every request below the cache; undefined when it cannot know them. */
  readonly inherited: () => Promise<Readonly<Record<string, string>> | undefined>;
  /** True while a call is prepared to the same request every time. */
  readonly isConstant: () => boolean;
  readonly decode: (answer: CacheableAnswer) => unknown;
}

/** One request with what the cache has to know of it. */
interface Asked extends CacheRequest {
  /** A hash over its credentials, also where the cache is shared. */
  readonly sender: string;
  readonly hasCredentials: boolean;
}

/** Statuses with which a server says that it failed (RFC 5861 section 4). */
const failures: ReadonlySet<number> = new Set([500, 502, 503, 504]);
/** Conditions on which only the server can decide. */
const foreign = conditions.filter((name) => name !== 'if-none-match' && name !== 'if-modified-since');

/**
 * GET and HEAD through the cache: stored answers where they may be used, else the server, asked once by
 * callers at the same time and by validators where there are any.
 */
export class CachedExchange {
  /** The short way for calls that come again. */
  readonly recall: Recall;
  readonly #parts: CachedExchangeParts;
  readonly #flights: Coalescer<Outcome> = new Coalescer();
  readonly #closing: AbortController = new AbortController();

  constructor(parts: CachedExchangeParts) {
    this.#parts = parts;
    const { cache, isConstant } = parts;
    this.recall = new Recall({ cache, isConstant, readerOf: (stored) => this.#readerOf(stored) });
  }

  /**
   * Undefined when the request is not the cache's business.
   *
   * @throws NotCachedError, or what sending throws
   */
  async run(request: PreparedRequest, call: APICall): Promise<Outcome | undefined> {
    if (request.method === 'POST') return this.#post(request);
    if (!isAskable(request)) return undefined;
    const asked = await this.#toAsked(request);
    if (!asked) return undefined;
    const found = this.#parts.cache.lookup(asked);
    if (found && found.use !== 'validate') {
      const reused = this.#reuse(found.answer, asked);
      if (reused && found.use === 'while-revalidate') this.#refresh(asked, request, found.answer);
      if (reused && this.#parts.isConstant()) this.recall.learn(call, asked);
      if (reused) return reused;
    }
    if (directivesOf(request.headers['cache-control']).has('only-if-cached')) throw new NotCachedError(request.subject);
    return this.#fetch(asked, request, found?.answer);
  }

  /** Ends what is fetched for nobody. */
  close(): void {
    this.recall.clear();
    this.#closing.abort();
  }

  /** Undefined when it cannot be told whose answer it would be. */
  async #toAsked({ method, url, headers: own, authName }: PreparedRequest): Promise<Asked | undefined> {
    const inherited = await this.#parts.inherited();
    if (!inherited) return undefined;
    const headers = { ...inherited, ...own };
    const sender = principalOf(headers, authName);
    const principal = this.#parts.cache.shared ? '' : sender;
    return { method, url: url.href, principal, headers, sender, hasCredentials: sender !== '' };
  }

  /** Sends a write, and keeps its answer where it says that it is what a GET would give. */
  async #post(request: PreparedRequest): Promise<Outcome> {
    const { cache } = this.#parts;
    const seen: { answer?: HTTPAnswer; exchanged?: Exchanged } = {};
    const outcome = await this.#parts.send(request, {
      attempts: 0,
      inspect: async (answer, exchanged) => {
        Object.assign(seen, { answer, exchanged });
        return undefined;
      },
    });
    const { answer, exchanged } = seen;
    if (!answer || !exchanged || answer.redirected || !answersGet(request.url, answer)) return outcome;
    const asked = await this.#toAsked({ ...request, method: 'GET' });
    if (!asked || principalOf(answer.sent, request.authName) !== asked.sender) return outcome;
    const fill = cache.beginFill(asked.url);
    await cache.store(asked, answer, exchanged, fill);
    cache.endFill(asked.url, fill);
    return outcome;
  }

  /** The outcome from a stored answer; undefined when it cannot give what `Range` asks for. */
  #reuse(stored: StoredAnswer, { method, headers }: Asked): Outcome | undefined {
    const ageMs = ageOf(stored, Date.now());
    const from = (answer: CacheableAnswer): Outcome => {
      const age = String(Math.floor(ageMs / 1_000));
      return { answer: { ...answer, headers: { ...answer.headers, age } }, attempts: 0, ageMs, fromCache: true };
    };
    if (isNotModified(headers, stored)) return from({ status: 304, headers: stored.headers, body: new Uint8Array() });
    if (method === 'HEAD') return from({ ...stored, body: new Uint8Array() });
    if (headers.range !== undefined && stored.status === 200) {
      const part = partOf(stored, headers.range);
      return part && from(part);
    }
    return { ...from(stored), read: this.#readerOf(stored) };
  }

  /** Gives the data of a stored answer, to each caller its own. */
  #readerOf(stored: StoredAnswer): ContentReader {
    stored.read ??= contentReader(stored, this.#parts.decode);
    return stored.read;
  }

  /** Asks the server, callers at the same time once; the request ends with the last of them. */
  async #fetch(asked: Asked, request: PreparedRequest, stored?: StoredAnswer, signal?: AbortSignal): Promise<Outcome> {
    const { cache, policy } = this.#parts;
    const fill = cache.beginFill(asked.url);
    const load = async (shared: AbortSignal): Promise<Outcome> => {
      const { timeoutMs, subject } = request;
      using scope = openScope(subject, policy.scopeOptions({ signal: shared, timeoutMs }));
      return await this.#ask(asked, { ...request, scope }, stored, fill);
    };
    try {
      return await this.#flights.run(flightKey(asked, request, fill.id), load, signal ? { signal } : request.scope);
    } finally {
      cache.endFill(asked.url, fill);
    }
  }

  /** Fetches a newer answer for the next caller. Its failures are nobody's. */
  #refresh(asked: Asked, request: PreparedRequest, stored: StoredAnswer): void {
    void detach(() => this.#fetch(asked, request, stored, this.#closing.signal)).catch(() => undefined);
  }

  async #ask(asked: Asked, request: PreparedRequest, stored: StoredAnswer | undefined, fill: Fill): Promise<Outcome> {
    // A caller's own condition, or range, is the caller's to be answered.
    const isPlain = asked.method === 'GET' && ['range', ...conditions].every((name) => !(name in asked.headers));
    const validators = stored && isPlain ? validatorsOf(stored) : {};
    const observer: Observer = {
      attempts: 0,
      inspect: async (answer, exchanged) => {
        // An interceptor that changes the credentials on the way out makes it somebody else's answer.
        if (principalOf(answer.sent, request.authName) !== asked.sender) return undefined;
        return this.#learn(asked, answer, { ...exchanged, stored, validators, fill, attempts: observer.attempts });
      },
    };
    try {
      return await this.#parts.send({ ...request, headers: { ...request.headers, ...validators } }, observer);
    } catch (error) {
      // Sent with other credentials than it was asked with, our condition was answered to somebody else.
      if (error instanceof HTTPError && error.status === 304 && isConditional(validators)) {
        const outcome = await this.#ask(asked, request, undefined, fill);
        return { ...outcome, attempts: outcome.attempts + observer.attempts };
      }
      if (!stored || !isFailure(error)) throw error;
      const reused = this.#parts.cache.mayUseOnError(stored, asked) ? this.#reuse(stored, asked) : undefined;
      if (reused) return { ...reused, attempts: observer.attempts };
      if (stored.freshness.mustRevalidate && !(error instanceof HTTPError))
        throw new NotCachedError(request.subject, { cause: error });
      throw error;
    }
  }

  /** Takes what an answer says into the cache. An outcome where a stored answer is the one to give. */
  async #learn(
    asked: Asked,
    answer: HTTPAnswer,
    context: Exchanged & {
      readonly stored: StoredAnswer | undefined;
      readonly validators: object;
      readonly fill: Fill;
      readonly attempts: number;
    },
  ): Promise<Outcome | undefined> {
    const { cache } = this.#parts;
    const { stored, validators, fill, attempts } = context;
    const { status, headers } = answer;
    if (status === 304 && stored && isConditional(validators)) {
      const updated = answer.redirected ? stored : await cache.freshen(asked, stored, headers, context, fill);
      return { answer: updated, attempts, ageMs: 0, fromCache: true };
    }
    // What redirects led to is the answer of another URL, and lasts as long as they do.
    if (answer.redirected) return undefined;
    const agrees = stored !== undefined && isSameVersion(stored, answer);
    if (status === 304 || (asked.method === 'HEAD' && status === 200)) {
      if (stored && agrees) await cache.freshen(asked, stored, headers, context, fill);
      else if (stored && asked.method === 'HEAD') cache.forget(asked);
    } else if (asked.method === 'GET') {
      await cache.store(asked, answer, context, fill);
    }
    return undefined;
  }
}

/** True for requests that stored answers can be for. */
function isAskable({ method, headers, body }: PreparedRequest): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || body.content !== undefined) return false;
  if (foreign.some((name) => name in headers)) return false;
  return !directivesOf(headers['cache-control']).has('no-store');
}

function isConditional(validators: object): boolean {
  return Object.keys(validators).length > 0;
}

/** True when the server failed, was not reached, or was not to be asked: all that `stale-if-error` is for. */
function isFailure(error: unknown): boolean {
  if (error instanceof HTTPError) return failures.has(error.status);
  return [ConnectionError, TimeoutError, CircuitOpenError, RateLimitError, QueueFullError].some(
    (type) => error instanceof type,
  );
}

/** Callers share a request only if they would have sent the same and wait the same time. Holds no secrets. */
function flightKey(asked: Asked, { subject, timeoutMs }: PreparedRequest, fill: number): string {
  const { 'x-correlation-id': _, ...same } = asked.headers;
  const details = JSON.stringify([fill, timeoutMs, asked.sender, asked.url, same]);
  return `${subject} ${createHash('sha256').update(details).digest('base64url')}`;
}
