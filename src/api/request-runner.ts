import type { CallScope } from '../core/index.js';
import { type HTTPAnswer, HTTPError } from '../drivers/http/index.js';
import type { Attempt } from '../resilience/index.js';
import type { APICall, APIResponse, RequestOptions } from './api-call.js';
import type { APISettings } from './api-options.js';
import { withNewCredential } from './auth/renewal.js';
import { CachedExchange } from './cache/cached-exchange.js';
import { invalidatedBy } from './cache/invalidation.js';
import type { Observer, Outcome } from './cache/outcome.js';
import type { Pacing } from './pacing.js';
import { type PreparedRequest, prepare, safeMethods } from './prepared-request.js';
import { decodeContent } from './response-content.js';
import type { Wire } from './wire.js';

const largestErrorBytes = 65_536;

/** Runs a call: cache > callers at the same time share one > policy > wire > data. */
export class RequestRunner {
  readonly #settings: APISettings;
  readonly #wire: Wire;
  readonly #cached: CachedExchange | undefined;
  readonly #pacing: Pacing | undefined;

  constructor(settings: APISettings, wire: Wire, pacing: Pacing | undefined) {
    this.#settings = settings;
    this.#wire = wire;
    this.#pacing = pacing;
    const { cache, policy } = settings;
    this.#cached =
      cache &&
      new CachedExchange({
        cache,
        policy,
        send: (request, observer) => this.#send(request, observer),
        inherited: () => this.#inheritedHeaders(),
        isConstant: () =>
          settings.use.length === 0 && (settings.credentials?.isFixed ?? true) && !this.#wire.clientInUse(),
        decode: (answer) => decodeContent(answer, 'the stored answer'),
      });
  }

  async run(call: APICall, scope: CallScope): Promise<APIResponse> {
    const request = await prepare(call, this.#settings, scope);
    const cached = call.cache === false ? undefined : await this.#cached?.run(request, call);
    return toResponse(cached ?? (await this.#send(request)), request);
  }

  /** The response from a fresh stored answer, for a call that came before; undefined sends it the long way. */
  recall(path: string, options: RequestOptions): APIResponse | undefined {
    return this.#cached?.recall.response(path, options);
  }

  /** Ends what no caller waits for. */
  close(): void {
    this.#cached?.close();
  }

  /** Sends once, past cache and policy, and gives the answer whatever its status. */
  async probe(call: APICall, scope: CallScope): Promise<HTTPAnswer> {
    return this.#wire.exchange(await prepare(call, this.#settings, scope), scope);
  }

  /** What a ready client adds to every request; undefined when the cache cannot tell requests apart by it. */
  async #inheritedHeaders(): Promise<Record<string, string> | undefined> {
    const defaults = (await this.#wire.clientInUse())?.defaults;
    if (defaults?.auth || defaults?.params) return undefined;
    return textsOf(defaults?.headers, defaults?.headers.common, defaults?.headers.get);
  }

  /** Sends; once more with a new credential when the server refuses the old one. */
  async #send(request: PreparedRequest, observer?: Observer): Promise<Outcome> {
    try {
      return await this.#execute(request, observer);
    } catch (error) {
      const renewed = await withNewCredential(request, error, this.#settings.credentials);
      if (!renewed) throw error;
      const outcome = await this.#execute(renewed, observer);
      return { ...outcome, attempts: outcome.attempts + 1 };
    }
  }

  async #execute(request: PreparedRequest, observer?: Observer): Promise<Outcome> {
    const { policy, cache } = this.#settings;
    const { subject, repeatable, scope, url } = request;
    const key = url.origin;
    const gate = this.#pacing?.of(key);
    let last: HTTPAnswer | undefined;
    const attempt = async (attempt: Attempt): Promise<Outcome> => {
      const requestedAt = Date.now();
      if (observer) observer.attempts = attempt.number;
      last = await this.#wire.exchange(request, attempt, attempt.number);
      const learning = gate?.learn(last.headers);
      if (learning) await learning;
      const outcome = await observer?.inspect(last, { requestedAt, receivedAt: Date.now() });
      if (outcome) return outcome;
      if (!isSuccess(last.status)) throw errorOf(request, last);
      return { answer: last, attempts: attempt.number, ageMs: 0, fromCache: false };
    };
    try {
      return await policy.execute(attempt, { scope, key, subject, idempotent: repeatable, ...(gate && { gate }) });
    } finally {
      if (cache && !safeMethods.has(request.method)) {
        for (const url of invalidatedBy(request.url, last)) cache.invalidate(url);
      }
    }
  }
}

function toResponse(outcome: Outcome, request: PreparedRequest): APIResponse {
  const { answer, read, attempts, ageMs, fromCache } = outcome;
  const { status, headers } = answer;
  // A stored failure is the same failure.
  if (!isSuccess(status)) throw errorOf(request, answer);
  return { data: read ? read() : decodeContent(answer, request.subject), status, headers, fromCache, ageMs, attempts };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

function errorOf({ method, url, subject }: PreparedRequest, answer: Outcome['answer']): HTTPError {
  const { status, headers } = answer;
  return new HTTPError({ method, url: url.href, status, headers, data: errorData(answer, subject) });
}

function errorData(answer: Outcome['answer'], subject: string): unknown {
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
