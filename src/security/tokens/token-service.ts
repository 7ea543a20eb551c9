import { randomUUID } from 'node:crypto';
import {
  type CallOptions,
  type Clock,
  ConfigurationError,
  type StandardSchemaV1,
  systemClock,
  UnsupportedError,
  ValidationError,
  validate,
} from '../../core/index.js';
import { checkOptions, encodeJSON, is, lazy } from '../../core/internal.js';
import { type ClaimRules, checkClaims, checkPayload, payloadOf, type TokenClaims } from './claims.js';
import { mediaType, readPayload, splitToken, type TokenHeader } from './compact-token.js';
import { type JSONWebKeySet, KeyRing, type TokenKeys } from './key-ring.js';
import { MemoryTokenStore } from './memory-token-store.js';
import { loadSignatures, type Signatures } from './signatures.js';
import { TokenError } from './token-error.js';
import type { TokenKey, TokenKeyOptions } from './token-key.js';
import { type TokenServiceOptions, tokenServiceChecks } from './token-service-options.js';
import type { TokenStore } from './token-store.js';

/** Settings of {@link TokenService.issue}. */
export interface IssueOptions extends CallOptions {
  /** Gives a refresh token too, the first of a new family. @default false */
  readonly refresh?: boolean;
  /** How long the access token is valid, in milliseconds. @default accessTtlMs of the service */
  readonly ttlMs?: number;
}

/** What was issued. Times are milliseconds since the epoch. */
export interface IssuedTokens {
  readonly accessToken: string;
  /** The `jti` of the access token. */
  readonly id: string;
  readonly expiresAtMs: number;
  readonly refreshToken?: string;
  readonly refreshExpiresAtMs?: number;
}

/** What was issued with a refresh token. */
export interface RefreshableTokens extends IssuedTokens {
  readonly refreshToken: string;
  readonly refreshExpiresAtMs: number;
}

/** The family of a refresh token, and when it ends. */
interface Family {
  readonly id: string;
  readonly endsMs: number;
}

/** Settings of {@link TokenService.verify}. */
export interface VerifyOptions extends CallOptions {
  /** False asks no store: a revoked token is accepted until it expires. @default true */
  readonly checkRevoked?: boolean;
}

/** A token that was accepted. */
export interface VerifiedToken<Payload> {
  /** What was put in, `sub` among it; the schema's output where there is one. */
  readonly payload: Payload;
  readonly claims: TokenClaims;
  /** The id of the key. */
  readonly keyId: string;
}

/** Settings of {@link TokenService.refresh}. */
export interface RefreshOptions<Payload> extends CallOptions {
  /** Gives the payload of the new tokens from that of the old, to look up roles anew. @default as it is */
  readonly payload?: (payload: Payload) => Payload | Promise<Payload>;
}

const refreshType = 'rt+jwt';

/**
 * Issues, verifies, refreshes and revokes JSON Web Tokens (RFC 7519, RFC 8725): signed by jsonwebtoken, hardened
 * before it. The key decides about the algorithm, never the token; each token has one spelling, one purpose, and
 * `iss aud exp iat jti`. A refresh token works once; its second use ends all tokens of that login.
 *
 * @throws ConfigurationError
 * @example
 * const tokens = new TokenService({ keys: [{ id: 'a', algorithm: 'HS256', secret }], issuer: 'shop', audience: 'shop' });
 * const { accessToken, refreshToken } = await tokens.issue({ sub: 'alice' }, { refresh: true });
 * const { payload } = await tokens.verify(accessToken);
 */
export class TokenService<Payload = Record<string, unknown>> {
  readonly #keys: TokenKeys;
  readonly #schema: StandardSchemaV1<unknown, Payload> | undefined;
  readonly #rules: ClaimRules;
  /** `iss` and `aud` as JSON, without the braces. */
  readonly #fixedClaims: string;
  readonly #accessTtlMs: number;
  readonly #refreshTtlMs: number;
  readonly #familyTtlMs: number;
  readonly #accessType: string;
  readonly #maxTokenBytes: number;
  readonly #store: TokenStore;
  readonly #clock: Clock;
  readonly #load: () => Promise<Signatures> = lazy(loadSignatures);
  #signatures: Signatures | undefined;

  constructor(options: TokenServiceOptions<Payload>) {
    checkOptions('TokenService', options as TokenServiceOptions, tokenServiceChecks);
    this.#keys = isKeys(options.keys) ? options.keys : new KeyRing(options.keys);
    this.#schema = options.schema;
    const audience = typeof options.audience === 'string' ? [options.audience] : [...options.audience];
    const { issuer, clockToleranceMs = 0, legacy = false } = options;
    this.#rules = { issuer, audience, clockToleranceMs, legacy };
    this.#fixedClaims = JSON.stringify({ iss: issuer, aud: options.audience }).slice(1, -1);
    this.#accessTtlMs = options.accessTtlMs ?? 15 * 60_000;
    this.#refreshTtlMs = options.refreshTtlMs ?? 30 * 86_400_000;
    this.#familyTtlMs = options.familyTtlMs ?? 90 * 86_400_000;
    this.#accessType = mediaType(options.accessType ?? 'at+jwt');
    if (this.#accessType === refreshType)
      throw new ConfigurationError('accessType must not be that of refresh tokens', { field: 'accessType' });
    this.#maxTokenBytes = options.maxTokenBytes ?? 8_192;
    this.#clock = options.clock ?? systemClock;
    this.#store = options.store ?? new MemoryTokenStore({ clock: this.#clock });
  }

  /**
   * @param payload what the token says, `sub` among it; anyone who has the token can read it
   * @throws ValidationError for a payload that the schema refuses, JSON cannot carry, that names a claim of the
   * service, or that makes a token longer than `maxTokenBytes`; UnsupportedError when the keys only verify
   */
  issue(payload: Payload, options: IssueOptions & { readonly refresh: true }): Promise<RefreshableTokens>;
  issue(payload: Payload, options?: IssueOptions): Promise<IssuedTokens>;
  async issue(payload: Payload, options: IssueOptions = {}): Promise<IssuedTokens> {
    if (options.ttlMs !== undefined) is.milliseconds(options.ttlMs, 'ttlMs');
    const familyEndsMs = this.#clock.now() + this.#familyTtlMs;
    const family = options.refresh ? { id: randomUUID(), endsMs: familyEndsMs } : undefined;
    const ttlMs = options.ttlMs ?? this.#accessTtlMs;
    if (!family) return (await this.#make(payload, ttlMs)).tokens;
    const { tokens, refreshId } = await this.#make(payload, ttlMs, family);
    await this.#store.begin({ family: family.id, id: refreshId, expiresAtMs: family.endsMs }, options);
    return tokens;
  }

  /** @throws TokenError whose `kind` says why, for your logs; what the store throws when it cannot be asked */
  async verify(token: string, options: VerifyOptions = {}): Promise<VerifiedToken<Payload>> {
    const { claims, payload, keyId } = await this.#open(token, this.#accessType, options);
    const asking = options.checkRevoked !== false && claims.id !== '' && this.#refuseRevoked(claims, options);
    if (asking) await asking;
    return { payload: this.#schema ? await this.#check(payload) : (payload as Payload), claims, keyId };
  }

  /**
   * New tokens for a refresh token, which is used up. One that was used before ends its whole family: either
   * its owner or a thief is too late, and nobody can tell who.
   *
   * @throws TokenError `reused` that one time, `revoked` afterwards, or any other `kind`
   */
  async refresh(refreshToken: string, options: RefreshOptions<Payload> = {}): Promise<RefreshableTokens> {
    const { claims, payload, raw } = await this.#open(refreshToken, refreshType, options);
    const { id, family } = claims;
    const endsAt = raw.fex;
    if (family === undefined || typeof endsAt !== 'number') throw new TokenError('claims', 'it has no family');
    const endsMs = endsAt * 1_000;
    await this.#refuseRevoked(claims, options);
    const before = await this.#check(payload);
    const next = options.payload ? await options.payload(before) : before;
    const { tokens, refreshId } = await this.#make(next, this.#accessTtlMs, { id: family, endsMs });
    const rotation = await this.#store.rotate({ family, id, expiresAtMs: endsMs }, refreshId, options);
    if (rotation === 'reused') throw new TokenError('reused', 'a used refresh token came again; its family has ended');
    if (rotation === 'ended') throw new TokenError('revoked', 'its family has ended');
    return tokens;
  }

  /**
   * Ends a token, of either purpose, until it would have expired; with a family (one that came with a refresh
   * token) all of its tokens: a logout. One that is over, or was revoked, is ended already.
   *
   * @throws TokenError for what was never a token of this service
   */
  async revoke(token: string, options: CallOptions = {}): Promise<void> {
    try {
      const { claims, raw } = await this.#open(token, undefined, options);
      if (claims.id === '') throw new TokenError('claims', 'jti is missing, so it cannot be revoked');
      const endsMs = this.#clock.now() + this.#familyTtlMs;
      const untilMs = Math.min(claims.expiresAtMs, Number.MAX_SAFE_INTEGER) + this.#rules.clockToleranceMs;
      await this.#store.revoke(claims.id, untilMs, options);
      const familyMs = typeof raw.fex === 'number' ? raw.fex * 1_000 : endsMs;
      if (claims.family !== undefined) await this.#store.revoke(claims.family, familyMs, options);
    } catch (error) {
      if (!(error instanceof TokenError && error.kind === 'expired')) throw error;
    }
  }

  /** Ends a token by its `jti`, where only that is known. */
  async revokeId(id: string, expiresAtMs: number, options: CallOptions = {}): Promise<void> {
    is.text(id, 'id');
    is.milliseconds(expiresAtMs, 'expiresAtMs');
    await this.#store.revoke(id, expiresAtMs, options);
  }

  /** @throws UnsupportedError when the keys are not ours to publish */
  jwks(): JSONWebKeySet {
    if (this.#keys instanceof KeyRing) return this.#keys.jwks();
    throw new UnsupportedError('jwks() publishes the keys of a KeyRing; these keys come from elsewhere');
  }

  #make(given: Payload, ttlMs: number): Promise<{ readonly tokens: IssuedTokens }>;
  #make(
    given: Payload,
    ttlMs: number,
    family: Family,
  ): Promise<{ readonly tokens: RefreshableTokens; readonly refreshId: string }>;
  async #make(
    given: Payload,
    ttlMs: number,
    family?: Family,
  ): Promise<{ readonly tokens: IssuedTokens; readonly refreshId?: string }> {
    const key = this.#keys.primary;
    if (!key) throw new UnsupportedError('these keys only verify; tokens are issued with a primary key of a KeyRing');
    checkPayload(given);
    if (this.#schema) await validate(this.#schema, given, 'token payload');
    const signatures = this.#signatures ?? (await this.#ready());
    // Encoded once for both tokens; the claims of the service are put behind it as text.
    const text = encodeJSON(given, 'token payload').slice(0, -1);
    const begun = `${text}${text === '{' ? '' : ','}${this.#fixedClaims}`;
    const now = this.#clock.now();
    const id = randomUUID();
    const iat = Math.floor(now / 1_000);
    const exp = Math.ceil((now + ttlMs) / 1_000);
    const fam = family ? `,"fam":"${family.id}"` : '';
    const access = `${begun},"iat":${iat},"exp":${exp},"jti":"${id}"${fam}}`;
    const accessToken = this.#fit(signatures.sign(access, key, this.#accessType));
    const tokens = { accessToken, id, expiresAtMs: exp * 1_000 };
    if (!family) return { tokens };
    const refreshId = randomUUID();
    const refreshExp = Math.ceil(Math.min(now + this.#refreshTtlMs, family.endsMs) / 1_000);
    const fex = Math.ceil(family.endsMs / 1_000);
    const refresh = `${begun},"iat":${iat},"exp":${refreshExp},"jti":"${refreshId}"${fam},"fex":${fex}}`;
    const refreshToken = this.#fit(signatures.sign(refresh, key, refreshType));
    return { tokens: { ...tokens, refreshToken, refreshExpiresAtMs: refreshExp * 1_000 }, refreshId };
  }

  /** All checks but those of store and schema. `typ` undefined accepts both purposes. */
  async #open(token: string, typ: string | undefined, options: CallOptions): Promise<Opened> {
    const { header, payload, signature } = splitToken(token, this.#maxTokenBytes);
    this.#checkType(header, typ);
    const found = this.#keyOf(header, options);
    // A ring answers at once, and waiting for nothing would be a tenth of the cost.
    const key = found instanceof Promise ? await found : found;
    if (!key) throw new TokenError('unknown-key', 'kid is missing, or names no key in use');
    if (header.alg !== key.algorithm) throw new TokenError('forged', 'alg is not that of its key');
    (this.#signatures ?? (await this.#ready())).verify(token, key, signature);
    const raw = readPayload(payload);
    return { raw, claims: checkClaims(raw, this.#rules, this.#clock.now()), payload: payloadOf(raw), keyId: key.id };
  }

  async #ready(): Promise<Signatures> {
    this.#signatures = await this.#load();
    return this.#signatures;
  }

  #checkType({ typ }: TokenHeader, wanted: string | undefined): void {
    if (typ === wanted && typ !== undefined) return;
    const isAccess = typ === this.#accessType || (this.#rules.legacy && typ !== refreshType);
    if (isAccess && wanted !== refreshType) return;
    if (wanted === undefined && typ === refreshType) return;
    throw new TokenError('claims', 'typ is not that of such a token');
  }

  #keyOf({ kid }: TokenHeader, options: CallOptions): TokenKey | undefined | Promise<TokenKey | undefined> {
    if (kid !== undefined) return this.#keys.find(kid, options);
    return this.#rules.legacy ? this.#keys.primary : undefined;
  }

  /** Gives a promise only where the store does: waiting for nothing costs. */
  #refuseRevoked({ id, family }: TokenClaims, options: CallOptions): PromiseLike<void> | undefined {
    const refuse = (revoked: boolean): undefined => {
      if (revoked) throw new TokenError('revoked', 'it was revoked');
    };
    const revoked = this.#store.isRevoked(family === undefined ? [id] : [id, family], options);
    return typeof revoked === 'boolean' ? refuse(revoked) : revoked.then(refuse);
  }

  async #check(payload: Record<string, unknown>): Promise<Payload> {
    if (!this.#schema) return payload as Payload;
    try {
      return await validate(this.#schema, payload, 'token payload');
    } catch (error) {
      if (error instanceof ValidationError) throw new TokenError('payload', error.message);
      throw error;
    }
  }

  #fit(token: string): string {
    if (token.length <= this.#maxTokenBytes) return token;
    const message = `makes a token of ${token.length} bytes, more than maxTokenBytes: ${this.#maxTokenBytes}`;
    throw new ValidationError('token payload', [{ path: [], message }]);
  }
}

function isKeys(keys: TokenKeys | readonly TokenKeyOptions[]): keys is TokenKeys {
  return 'find' in keys && 'primary' in keys;
}

interface Opened {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly claims: TokenClaims;
  readonly payload: Record<string, unknown>;
  readonly keyId: string;
}
