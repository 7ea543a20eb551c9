import type { JsonWebKey } from 'node:crypto';
import {
  type CallOptions,
  CallScope,
  type Clock,
  ConfigurationError,
  ConnectionError,
  detach,
  openScope,
  ProtocolError,
  SaflaError,
  systemClock,
} from '../../core/index.js';
import { checkOptions, describeError, is, type OptionCheck, type OptionChecks } from '../../core/internal.js';
import { isTokenAlgorithm, type TokenAlgorithm, tokenAlgorithms } from './algorithms.js';
import { fetchKeySet } from './fetch-key-set.js';
import type { TokenKeys } from './key-ring.js';
import { TokenKey } from './token-key.js';

/** What fetches the set: an `APIIntegration` of the issuer, for one. */
export interface KeySetSource {
  request(path: string, options: CallOptions): Promise<{ readonly data: unknown }>;
}

/** Settings of {@link RemoteKeySet}. */
export interface RemoteKeySetOptions {
  /** Where the issuer publishes its keys; the only address that is asked, whatever a token says. `https:`, or `http:` on this machine. With `source` also a path of it. */
  readonly url: string;
  /** The algorithms that keys may have. HMAC is none of them: a published secret is none. @default ['RS256', 'PS256', 'ES256', 'EdDSA'] */
  readonly algorithms?: readonly TokenAlgorithm[];
  /** Fetches in the place of `fetch`. The caller owns it, with its redirects and bounds. */
  readonly source?: KeySetSource;
  /** How long the keys count as fresh, in milliseconds. @default 600000 */
  readonly freshMs?: number;
  /** How long they serve beyond that while the issuer cannot be asked, in milliseconds. @default 3600000 */
  readonly staleMs?: number;
  /** Least time between two fetches, in milliseconds: unknown ids cost the issuer no more than this. @default 30000 */
  readonly cooldownMs?: number;
  /** Longest time for one fetch, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
  /** Longest answer, and most keys in it. @default 65536 and 100 */
  readonly maxBytes?: number;
  readonly maxKeys?: number;
  /** @default the system's */
  readonly clock?: Clock;
}

const algorithmsCheck: OptionCheck = (value, field) => {
  is.list(value, field);
  const published = tokenAlgorithms.filter((name) => !name.startsWith('HS'));
  for (const name of value as unknown[]) is.oneOf(...published)(name, field);
};

const optionChecks: OptionChecks<RemoteKeySetOptions> = {
  url: is.required(is.text),
  algorithms: algorithmsCheck,
  source: (value, field) => is.function((value as Partial<KeySetSource> | null)?.request, `${field}.request`),
  freshMs: is.milliseconds,
  staleMs: is.countOrZero,
  cooldownMs: is.countOrZero,
  timeoutMs: is.milliseconds,
  maxBytes: is.count,
  maxKeys: is.count,
  clock: is.object,
};

/**
 * The published keys of another issuer (JWKS, RFC 7517), fetched at the first token, kept, and fetched again when
 * they are old or a token names a key that is not among them, at most once in `cooldownMs` and once for all callers
 * at the same time. Keys that are private, secret, too weak or for something else are left out.
 *
 * @throws ConfigurationError
 * @example const keys = new RemoteKeySet({ url: 'https://login.example/.well-known/jwks.json' });
 */
export class RemoteKeySet implements TokenKeys {
  readonly #options: RemoteKeySetOptions;
  readonly #algorithms: readonly TokenAlgorithm[];
  readonly #clock: Clock;
  #keys: ReadonlyMap<string, TokenKey> = new Map();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #failure: SaflaError | undefined;
  #fetching: Promise<void> | undefined;

  constructor(options: RemoteKeySetOptions) {
    checkOptions('RemoteKeySet', options, optionChecks);
    if (!options.source) checkAddress(options.url);
    this.#options = Object.freeze({ ...options });
    this.#algorithms = options.algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA'];
    this.#clock = options.clock ?? systemClock;
  }

  get primary(): undefined {
    return undefined;
  }

  /**
   * @throws ConnectionError or ProtocolError when there are no keys that are young enough and none can be fetched
   */
  async find(id: string, options: CallOptions = {}): Promise<TokenKey | undefined> {
    const { freshMs = 600_000, staleMs = 3_600_000, cooldownMs = 30_000 } = this.#options;
    const now = this.#clock.now();
    const isFresh = now - this.#fetchedAt < freshMs;
    if (isFresh && this.#keys.has(id)) return this.#keys.get(id);
    if (this.#fetching || now - this.#triedAt >= cooldownMs) await this.#wait(options);
    // Also after a fetch that failed: keys that were good a while ago are better than no service.
    if (this.#clock.now() - this.#fetchedAt < freshMs + staleMs) return this.#keys.get(id);
    throw this.#failure ?? new ConnectionError('the keys of the issuer are too old and could not be fetched again');
  }

  async #wait(options: CallOptions): Promise<void> {
    using scope = openScope('fetch of the keys of the issuer', options);
    this.#triedAt = this.#fetching ? this.#triedAt : this.#clock.now();
    // One caller who leaves must not end it for the others.
    this.#fetching ??= detach(() => this.#fetch()).finally(() => {
      this.#fetching = undefined;
    });
    await scope.run(() => this.#fetching);
  }

  async #fetch(): Promise<void> {
    const { url, source, timeoutMs = 5_000, maxBytes = 65_536 } = this.#options;
    const subject = 'fetch of the keys of the issuer';
    try {
      using scope = new CallScope(subject, { timeoutMs });
      const { signal } = scope;
      const data = await scope.run(async () =>
        source ? (await source.request(url, { signal, timeoutMs })).data : fetchKeySet(url, signal, maxBytes),
      );
      this.#keys = this.#read(data);
      this.#fetchedAt = this.#clock.now();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = SaflaError.is(error) ? error : new ConnectionError(`${subject} failed: ${describeError(error)}`);
    }
  }

  #read(data: unknown): Map<string, TokenKey> {
    const list = (data as { keys?: unknown } | null | undefined)?.keys;
    const { maxKeys = 100 } = this.#options;
    if (!Array.isArray(list) || list.length > maxKeys)
      throw new ProtocolError(`the keys of the issuer: the answer is no set of at most ${maxKeys} keys`);
    const keys = new Map<string, TokenKey>();
    const twice = new Set<string>();
    for (const jwk of list as (JsonWebKey | null)[]) {
      const key = this.#toKey(jwk);
      if (!key) continue;
      if (keys.has(key.id)) twice.add(key.id);
      keys.set(key.id, key);
    }
    // Which of them is meant, nobody can tell.
    for (const id of twice) keys.delete(id);
    return keys;
  }

  #toKey(jwk: JsonWebKey | null): TokenKey | undefined {
    if (typeof jwk !== 'object' || jwk === null || typeof jwk.kid !== 'string' || jwk.kid === '') return undefined;
    const algorithm = jwk.alg === undefined ? this.#algorithmOf(jwk) : jwk.alg;
    if (!isTokenAlgorithm(algorithm) || !this.#algorithms.includes(algorithm)) return undefined;
    try {
      return new TokenKey({ id: jwk.kid, algorithm, publicKey: jwk, state: 'active' });
    } catch {
      return undefined;
    }
  }

  /** The one algorithm that a key which names none can have: it must not depend on the token. */
  #algorithmOf({ kty, crv }: JsonWebKey): TokenAlgorithm | undefined {
    if (kty === 'OKP') return 'EdDSA';
    if (kty === 'EC') return ({ 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' } as const)[`${crv}`];
    const rsa = this.#algorithms.filter((name) => /^[RP]S/.test(name));
    // RS256 is what issuers mean who say nothing (RFC 7518 section 3.1 recommends it).
    return rsa.includes('RS256') ? 'RS256' : rsa.length === 1 ? rsa[0] : undefined;
  }
}

function checkAddress(url: string): void {
  is.url('https:', 'http:')(url, 'RemoteKeySet.url');
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname))
    throw new ConfigurationError('RemoteKeySet.url must be https: whoever answers decides which tokens are good', {
      field: 'RemoteKeySet.url',
    });
}
