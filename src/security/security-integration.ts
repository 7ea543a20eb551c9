import {
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  ConnectionError,
  RateLimitError,
  type StandardSchemaV1,
} from '../core/index.js';
import { checkOptions, is, type OptionChecks } from '../core/internal.js';
import { type RedisClient, redisClientCheck } from '../drivers/redis/index.js';
import type { AccessPolicy, AccessSubject } from './access/access-policy.js';
import type { AuditLog } from './audit/audit-log.js';
import { sanitizeHTML } from './html/sanitize-html.js';
import { MemoryLimiter } from './limits/memory-limiter.js';
import type { LimitConsumeOptions, RateLimiter } from './limits/rate-limit.js';
import { RedisLimiter } from './limits/redis-limiter.js';
import { fits, parse } from './parse.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { durationMs } from './tokens/duration.js';
import { RedisTokenStore } from './tokens/redis-token-store.js';
import { TokenService } from './tokens/token-service.js';

/** The parts of a {@link SecurityIntegration}. The caller owns them. */
export interface SecurityIntegrationOptions<
  Payload = Record<string, unknown>,
  Subject extends AccessSubject = AccessSubject,
  Resource = unknown,
> {
  readonly tokens?: TokenService<Payload>;
  /** @default a PasswordHasher with its defaults */
  readonly passwords?: PasswordHasher;
  readonly limiter?: RateLimiter;
  readonly access?: AccessPolicy<Subject, Resource>;
  readonly audit?: AuditLog;
}

/** Settings of the short form. */
export interface SecurityShortOptions {
  /** Accepts tokens that older code made with the same secret: without `iss`, `aud`, `exp`, `jti`. @default false */
  readonly legacy?: boolean;
}

const optionChecks: OptionChecks<SecurityIntegrationOptions<never>> = {
  tokens: is.object,
  passwords: is.object,
  limiter: is.object,
  access: is.object,
  audit: is.object,
};

/**
 * Tokens, passwords, rate limits, access rules and an audit log in one place; each part also stands alone. The
 * short form takes a secret of 32 bytes or more, and an ioredis client for limits (100 an hour for each identifier)
 * and revocations that all processes share.
 *
 * @throws ConfigurationError
 * @example
 * const security = new SecurityIntegration(env.JWT_SECRET, redis);
 * const token = await security.generateToken({ sub: 'alice' });
 * const { sub } = await security.authenticateToken(token);
 */
export class SecurityIntegration<
  Payload = Record<string, unknown>,
  Subject extends AccessSubject = AccessSubject,
  Resource = unknown,
> implements Closeable
{
  readonly passwords: PasswordHasher;
  readonly #tokens: TokenService<Payload> | undefined;
  readonly #limiter: RateLimiter | undefined;
  readonly #access: AccessPolicy<Subject, Resource> | undefined;
  readonly #audit: AuditLog | undefined;
  readonly #own: readonly Closeable[];

  constructor(jwtSecret: string, redisClient?: RedisClient, options?: SecurityShortOptions);
  constructor(options: SecurityIntegrationOptions<Payload, Subject, Resource>);
  constructor(
    secretOrOptions: string | SecurityIntegrationOptions<Payload, Subject, Resource>,
    redisClient?: RedisClient,
    short: SecurityShortOptions = {},
  ) {
    if (typeof secretOrOptions !== 'object' || secretOrOptions === null) {
      if (typeof secretOrOptions !== 'string') is.required(is.text)(secretOrOptions, 'jwtSecret');
      const parts = shortParts<Payload>(secretOrOptions, redisClient, short);
      this.#tokens = parts.tokens;
      this.#limiter = parts.limiter;
      this.#own = parts.own;
      this.passwords = new PasswordHasher();
      return;
    }
    checkOptions('SecurityIntegration', secretOrOptions, optionChecks as OptionChecks<typeof secretOrOptions>);
    this.#tokens = secretOrOptions.tokens;
    this.#limiter = secretOrOptions.limiter;
    this.#access = secretOrOptions.access;
    this.#audit = secretOrOptions.audit;
    this.passwords = secretOrOptions.passwords ?? new PasswordHasher();
    this.#own = [];
  }

  /** @throws ConfigurationError when it was not given; so do the others */
  get tokens(): TokenService<Payload> {
    return given(this.#tokens, 'tokens');
  }

  get limiter(): RateLimiter {
    return given(this.#limiter, 'limiter');
  }

  get access(): AccessPolicy<Subject, Resource> {
    return given(this.#access, 'access');
  }

  get audit(): AuditLog {
    return given(this.#audit, 'audit');
  }

  /**
   * The payload of a token, with its registered claims as they are written (`exp` and `iat` in seconds).
   *
   * @throws TokenError 'Invalid token'; its `kind` says why, for your logs
   */
  async authenticateToken(token: string): Promise<Payload & Record<string, unknown>> {
    const { payload, claims } = await this.tokens.verify(token);
    const { issuer: iss, audience, id, expiresAtMs, issuedAtMs } = claims;
    const written = {
      ...(audience.length > 0 && { iss, aud: audience.length === 1 ? audience[0] : audience }),
      ...(id !== '' && { jti: id }),
      ...(Number.isFinite(expiresAtMs) && { exp: expiresAtMs / 1_000 }),
      ...(issuedAtMs !== undefined && { iat: issuedAtMs / 1_000 }),
    };
    return { ...payload, ...written };
  }

  /**
   * @param expiresIn whole seconds as a number, or `'90s'`, `'15m'`, `'1h'`, `'7d'`
   * @throws ConfigurationError for a text of digits alone; ValidationError for a payload that is none
   */
  async generateToken(payload: Payload, expiresIn: string | number = '1h'): Promise<string> {
    const ttlMs = durationMs(expiresIn, 'expiresIn');
    return (await this.tokens.issue(payload, { ttlMs })).accessToken;
  }

  hashPassword(password: string): Promise<string> {
    return this.passwords.hash(password);
  }

  /** @param hash null for a user who does not exist: false, after the same work */
  async verifyPassword(password: string, hash: string | null | undefined): Promise<boolean> {
    return (await this.passwords.verify(password, hash)).ok;
  }

  /**
   * @throws RateLimitError 'Rate limit exceeded' with `retryAfterMs`; ConnectionError when the limiter is closed for
   * an outage, which is no limit that was reached; ConfigurationError for an identifier that is no text
   */
  async checkRateLimit(identifier: string, options: LimitConsumeOptions = {}): Promise<void> {
    const { allowed, source, retryAfterMs } = await this.limiter.consume(identifier, options);
    if (allowed) return;
    if (source === 'closed') throw new ConnectionError('The rate limit cannot be checked now, so the call is refused');
    throw new RateLimitError('Rate limit exceeded', { retryAfterMs });
  }

  /** @throws UnsupportedError for an asynchronous schema: use `parse` */
  validateInput(input: unknown, schema: StandardSchemaV1): boolean {
    return fits(schema, input);
  }

  /** @throws ValidationError with paths and messages, never values */
  parse<S extends StandardSchemaV1>(schema: S, input: unknown): Promise<StandardSchemaV1.InferOutput<S>> {
    return parse(schema, input);
  }

  /** {@link sanitizeHTML} with its defaults. @throws ValidationError for what is no text, or too long */
  sanitizeInput(input: string): string {
    return sanitizeHTML(input);
  }

  /** Closes what the short form opened; parts that were given stay open. */
  async close(options: CloseOptions = {}): Promise<void> {
    await Promise.all(this.#own.map((part) => part.close(options)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The parts of the short form: issuer and audience 'safla', 100 calls an hour. */
function shortParts<Payload>(secret: string, client: RedisClient | undefined, short: SecurityShortOptions) {
  checkOptions<SecurityShortOptions>('options', short, { legacy: is.flag });
  if (client !== undefined) redisClientCheck(client, 'redisClient');
  const quota = { limit: 100, intervalMs: 3_600_000 };
  const store = client && new RedisTokenStore({ client });
  const redisLimiter = client && new RedisLimiter({ ...quota, client });
  const tokens = new TokenService<Payload>({
    keys: [{ id: 'safla', algorithm: 'HS256', secret }],
    issuer: 'safla',
    audience: 'safla',
    ...(store && { store }),
    ...(short.legacy !== undefined && { legacy: short.legacy }),
  });
  const own = [store, redisLimiter].filter((part) => part !== undefined);
  return { tokens, limiter: redisLimiter ?? new MemoryLimiter(quota), own };
}

function given<T>(part: T | undefined, name: string): T {
  if (part === undefined)
    throw new ConfigurationError(`SecurityIntegration has no ${name}: give it to the constructor`, {
      field: `SecurityIntegration.${name}`,
    });
  return part;
}
