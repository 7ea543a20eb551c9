import { ValidationError } from '../../core/index.js';
import { TokenError } from './token-error.js';

/** What a service itself writes and checks (RFC 7519 section 4.1); `fam` and `fex` name a family and its end. */
const registered: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'fam', 'fex']);

/** The registered claims of a verified token. Times are milliseconds since the epoch. */
export interface TokenClaims {
  /** `iss` */
  readonly issuer: string;
  /** `aud`, all of them. */
  readonly audience: readonly string[];
  /** `jti`: names this token; empty for a legacy one that has none. */
  readonly id: string;
  /** `exp`; Infinity for a legacy token that has none. */
  readonly expiresAtMs: number;
  /** `iat`, where the token says it. */
  readonly issuedAtMs: number | undefined;
  /** `fam`: the family of refresh tokens it came with. */
  readonly family: string | undefined;
}

/** What claims are held against. */
export interface ClaimRules {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly clockToleranceMs: number;
  /** Accepts that `iss`, `aud`, `exp` and `jti` are missing. One that is there is checked. */
  readonly legacy: boolean;
}

/** @throws TokenError `claims`, `expired` or `early` */
export function checkClaims(claims: Readonly<Record<string, unknown>>, rules: ClaimRules, nowMs: number): TokenClaims {
  const { iss, aud, exp, jti, fam } = claims;
  if (!rules.legacy && (iss === undefined || aud === undefined || exp === undefined || jti === undefined))
    throw fault(`${['iss', 'aud', 'exp', 'jti'].find((name) => claims[name] === undefined)} is missing`);
  const expiresAtMs = dateMs(claims, 'exp') ?? Number.POSITIVE_INFINITY;
  const notBeforeMs = dateMs(claims, 'nbf');
  const issuedAtMs = dateMs(claims, 'iat');
  if (nowMs >= expiresAtMs + rules.clockToleranceMs) throw new TokenError('expired', 'exp has passed');
  if (notBeforeMs !== undefined && nowMs < notBeforeMs - rules.clockToleranceMs)
    throw new TokenError('early', 'nbf has not come');
  if (iss !== undefined && iss !== rules.issuer) throw fault('iss is not the issuer');
  const audience = audienceOf(aud);
  if (aud !== undefined && !audience.some((name) => rules.audience.includes(name)))
    throw fault('aud is not for this service');
  if (jti !== undefined && (typeof jti !== 'string' || jti === '' || jti.length > 256)) throw fault('jti is no id');
  // Another issuer may mean something else by it.
  const family = typeof fam === 'string' && fam.length <= 256 ? fam : undefined;
  return { issuer: rules.issuer, audience, id: jti ?? '', expiresAtMs, issuedAtMs, family };
}

/** The rest: what the host put in, `sub` among it. */
export function payloadOf(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const payload: Record<string, unknown> = {};
  for (const name of Object.keys(claims)) {
    if (registered.has(name)) continue;
    // Assigning it would set the prototype.
    if (name === '__proto__') Object.defineProperty(payload, name, { value: claims[name], enumerable: true });
    else payload[name] = claims[name];
  }
  return payload;
}

/** @throws ValidationError when it is no object, or holds a claim that the service writes */
export function checkPayload(payload: unknown): asserts payload is Record<string, unknown> {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
    throw new ValidationError('token payload', [{ path: [], message: 'must be an object' }]);
  for (const name of Object.keys(payload))
    if (registered.has(name))
      throw new ValidationError('token payload', [{ path: [name], message: 'is written by the service, not given' }]);
  const { sub, toJSON } = payload as { sub?: unknown; toJSON?: unknown };
  if (typeof toJSON === 'function')
    throw new ValidationError('token payload', [{ path: [], message: 'must be a plain object' }]);
  if (sub !== undefined && typeof sub !== 'string')
    throw new ValidationError('token payload', [{ path: ['sub'], message: 'must be a text' }]);
}

/** NumericDate of RFC 7519 section 2. */
function dateMs(claims: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value < 1e12)) throw fault(`${name} is no date in seconds`);
  return value * 1_000;
}

function audienceOf(aud: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(aud) ? aud : aud === undefined ? [] : [aud];
  if (!list.every((name) => typeof name === 'string')) throw fault('aud is neither a text nor a list of texts');
  return list as string[];
}

function fault(detail: string): TokenError {
  return new TokenError('claims', detail);
}
