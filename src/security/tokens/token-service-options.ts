import type { Clock, StandardSchemaV1 } from '../../core/index.js';
import { ConfigurationError } from '../../core/index.js';
import { is, isSchema, type OptionCheck, type OptionChecks } from '../../core/internal.js';
import type { TokenKeys } from './key-ring.js';
import type { TokenKeyOptions } from './token-key.js';
import type { TokenStore } from './token-store.js';

/** Settings of {@link TokenService}. `Payload` is what the schema gives. */
export interface TokenServiceOptions<Payload = Record<string, unknown>> {
  /** Keys, a {@link KeyRing} that you rotate, or a {@link RemoteKeySet} to verify the tokens of another issuer. */
  readonly keys: readonly TokenKeyOptions[] | TokenKeys;
  /** `iss`: written into tokens, and the only one accepted. */
  readonly issuer: string;
  /** `aud`: written into tokens; a token is accepted when it names one of them. */
  readonly audience: string | readonly string[];
  /** Checks payloads when they are issued and when they come back, and types them. */
  readonly schema?: StandardSchemaV1<unknown, Payload>;
  /** How long an access token is valid, in milliseconds. @default 900000 (15 minutes) */
  readonly accessTtlMs?: number;
  /** How long a refresh token is valid, in milliseconds; each refresh begins anew. @default 2592000000 (30 days) */
  readonly refreshTtlMs?: number;
  /** How long one login may be refreshed in all, in milliseconds. @default 7776000000 (90 days) */
  readonly familyTtlMs?: number;
  /** How far the issuer's clock may be off, in milliseconds: `exp` and `nbf` are read that much kinder. @default 0 */
  readonly clockToleranceMs?: number;
  /** The `typ` that access tokens must have (RFC 9068). Other issuers often write `JWT`. @default 'at+jwt' */
  readonly accessType?: string;
  /** Longer tokens are refused unread. @default 8192 */
  readonly maxTokenBytes?: number;
  /** Revocations and families. The caller owns it. @default a MemoryTokenStore: for one process */
  readonly store?: TokenStore;
  /**
   * Accepts access tokens as older code wrote them: without `kid`, `iss`, `aud`, `exp`, `jti`, and of any `typ`
   * but a refresh token's. For the time of a migration. @default false
   */
  readonly legacy?: boolean;
  /** @default the system's */
  readonly clock?: Clock;
}

const keysCheck: OptionCheck = (value, field) => {
  const isRing = !Array.isArray(value) && typeof (value as { find?: unknown } | null)?.find === 'function';
  if (!isRing && !Array.isArray(value))
    throw new ConfigurationError(`${field} must be a list of keys, a KeyRing or a RemoteKeySet`, { field });
};

const audienceCheck: OptionCheck = (value, field) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new ConfigurationError(`${field} must name an audience`, { field });
  for (const name of list) is.text(name, field);
};

const storeCheck: OptionCheck = (value, field) => {
  is.object(value, field);
  for (const name of ['revoke', 'isRevoked', 'begin', 'rotate'] as const)
    is.function((value as Partial<Record<string, unknown>>)[name], `${field}.${name}`);
};

const schemaCheck: OptionCheck = (value, field) => {
  if (!isSchema(value))
    throw new ConfigurationError(`${field} must be a Standard Schema (zod, valibot, ...)`, { field });
};

/** Checks of {@link TokenServiceOptions}. */
export const tokenServiceChecks: OptionChecks<TokenServiceOptions> = {
  keys: is.required(keysCheck),
  issuer: is.required(is.text),
  audience: is.required(audienceCheck),
  schema: schemaCheck,
  accessTtlMs: is.milliseconds,
  refreshTtlMs: is.milliseconds,
  familyTtlMs: is.milliseconds,
  clockToleranceMs: is.countOrZero,
  accessType: is.text,
  maxTokenBytes: is.count,
  store: storeCheck,
  legacy: is.flag,
  clock: is.object,
};
