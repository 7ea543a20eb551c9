import type { JsonWebKey } from 'node:crypto';
import { type CallOptions, ConfigurationError } from '../../core/index.js';
import { is } from '../../core/internal.js';
import { TokenKey, type TokenKeyOptions } from './token-key.js';

/** Where a service finds the keys of tokens. {@link KeyRing} and {@link RemoteKeySet} are two. */
export interface TokenKeys {
  /** Signs; undefined when these keys only verify. */
  readonly primary: TokenKey | undefined;
  /** The key that may verify what names it; undefined when there is none. */
  find(id: string, options?: CallOptions): TokenKey | undefined | Promise<TokenKey | undefined>;
}

/** A set of public keys as it is published (RFC 7517 section 5). */
export interface JSONWebKeySet {
  readonly keys: readonly JsonWebKey[];
}

/**
 * The keys of one issuer, and the one way they go: pending, primary, active, retired. Add the next key as
 * pending, wait until every verifier has it, `promote` it, and `retire` the old one when its last token is over.
 *
 * @throws ConfigurationError for two keys of one id, or two primary ones
 * @example const keys = new KeyRing([{ id: '2026-11', algorithm: 'EdDSA', privateKey: env.SIGNING_KEY }]);
 */
export class KeyRing implements TokenKeys {
  readonly #keys: Map<string, TokenKey> = new Map();

  constructor(keys: readonly TokenKeyOptions[]) {
    is.list(keys, 'keys');
    if (keys.length === 0) throw new ConfigurationError('keys must hold a key', { field: 'keys' });
    for (const key of keys) this.add(key);
  }

  get primary(): TokenKey | undefined {
    for (const key of this.#keys.values()) if (key.state === 'primary') return key;
    return undefined;
  }

  find(id: string): TokenKey | undefined {
    const key = this.#keys.get(id);
    return key?.state === 'retired' ? undefined : key;
  }

  /** @throws ConfigurationError when there is a key of that id, or already a primary one */
  add(options: TokenKeyOptions): void {
    const key = new TokenKey(options);
    if (this.#keys.has(key.id)) throw refusal(key.id, 'is there twice; an id names one key and one algorithm for ever');
    if (key.state === 'primary' && this.primary)
      throw refusal(key.id, `cannot be primary too: '${this.primary.id}' is; add it as 'pending' and promote it`);
    this.#keys.set(key.id, key);
  }

  /** Makes a pending key the one that signs; the one before verifies on. */
  promote(id: string): void {
    const key = this.#expect(id, 'pending');
    if (!key.signer) throw refusal(id, 'cannot be primary: a public key does not sign');
    const before = this.primary;
    if (before) this.#keys.set(before.id, before.as('active'));
    this.#keys.set(id, key.as('primary'));
  }

  /** Ends an active key: what it signed is refused from now on. */
  retire(id: string): void {
    this.#keys.set(id, this.#expect(id, 'active').as('retired'));
  }

  /** State by id. */
  states(): Readonly<Record<string, TokenKey['state']>> {
    return Object.fromEntries([...this.#keys.values()].map((key) => [key.id, key.state]));
  }

  /** The public keys that may verify, for `/.well-known/jwks.json`. Secrets are never among them. */
  jwks(): JSONWebKeySet {
    const usable = [...this.#keys.values()].filter((key) => key.state !== 'retired');
    return { keys: usable.map((key) => key.toJWK()).filter((jwk) => jwk !== undefined) };
  }

  #expect(id: string, state: TokenKey['state']): TokenKey {
    const key = this.#keys.get(id);
    if (key?.state !== state) throw refusal(id, `is ${key ? key.state : 'not there'}, not ${state}`);
    return key;
  }
}

function refusal(id: string, problem: string): ConfigurationError {
  return new ConfigurationError(`key '${id}' ${problem}`, { field: 'keys' });
}
